import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readOrder } from '../../lib/table/orders.ts';
import { orderId } from '../support/sample-orders.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { type Buyer, eventually, logIn } from '../support/shop.ts';
import { openConsole, type StackConsole } from '../support/stack-console.ts';

const SUB_MCHID = '1900000110';
const SUB_APPID = 'wx5ub0000000000001';
const SUB_APP_SECRET = '5ub5ecret0123456789abcdef0123456';
const latte = { items: [{ sku: 'latte', quantity: 1 }] };

describe.each(['v2', 'v3'] as const)('a service provider by API %s', (apiVersion) => {
  let stack: Stack;
  let dynamoDb: DynamoDBClient;
  let merchantConsole: StackConsole;

  beforeAll(async () => {
    vi.resetModules();
    stack = await startStack({
      inMemory: true,
      port: 0,
      simulatorPort: 0,
      schedule: false,
      log: 'silent',
      apiVersion,
    });
    dynamoDb = new DynamoDBClient({ endpoint: stack.dynamoDbEndpoint });
    merchantConsole = openConsole(stack);
  });
  afterEach(() => merchantConsole.clearFaults());
  afterAll(async () => {
    merchantConsole.close();
    dynamoDb.destroy();
    await stack.stop();
  });

  const rowOf = (outTradeNo: string) =>
    readOrder({ client: dynamoDb, tableName: stack.tableName }, orderId(outTradeNo));
  const isPaid = (outTradeNo: string) =>
    eventually(
      () => rowOf(outTradeNo),
      (row) => row?.tradeState === 'SUCCESS',
    );

  describe.each([
    ['with its own mini-program', false],
    ['with the sub-merchant’s mini-program', true],
  ])('%s', (_, isOfSub) => {
    let alice: Buyer;
    let appId: string;

    beforeAll(async () => {
      const sub = { subMchid: SUB_MCHID, subAppid: SUB_APPID, subAppSecret: SUB_APP_SECRET };
      await merchantConsole.control('merchant', { subMerchants: [sub] });
      const { appid, appSecret } = stack.merchant;
      appId = isOfSub ? SUB_APPID : appid;
      await merchantConsole.putSecret({
        subMchid: SUB_MCHID,
        spAppid: isOfSub ? appid : undefined,
      });
      await merchantConsole.putMiniProgramSecret({
        appid: appId,
        appSecret: isOfSub ? SUB_APP_SECRET : appSecret,
      });
    });

    beforeEach(async () => {
      // Nothing of before is left: neither open orders nor cached secrets.
      await stack.advanceClock(1801);
      await stack.invoke('reconcile');
      alice = await logIn(stack, 'alice');
    });

    async function order() {
      const prepaid = await alice.prepay(latte);
      expect(prepaid.status).toBe(200);
      return prepaid.body;
    }

    const pay = async (requestPayment: Record<string, string>, appid = appId) =>
      (await alice.pay(requestPayment, { appId: appid })).body.errMsg;

    test('a payment goes from wx.login to a paid order of the sub-merchant', async () => {
      const { outTradeNo, requestPayment } = await order();
      expect(await pay(requestPayment)).toBe('requestPayment:ok');

      const row = await isPaid(outTradeNo);
      const booked = await merchantConsole.booked(outTradeNo);

      expect(booked).toMatchObject({
        api: apiVersion,
        tradeState: 'SUCCESS',
        subMchid: SUB_MCHID,
        subAppid: isOfSub ? SUB_APPID : null,
      });
      expect(row).toMatchObject({
        appid: appId,
        mchid: stack.merchant.mchid,
        subMchid: SUB_MCHID,
        spAppid: isOfSub ? stack.merchant.appid : undefined,
        transactionId: booked.transactionId,
      });
    });

    test('wx.requestPayment under the other appid is refused by the phone', async () => {
      const { outTradeNo, requestPayment } = await order();
      const other = isOfSub ? stack.merchant.appid : SUB_APPID;

      expect(await pay(requestPayment, other)).toMatch(/^requestPayment:fail /);

      expect((await rowOf(outTradeNo))?.tradeState).toBe('NOTPAY');
    });

    test('a lost notification is healed by the buyer’s look and by reconcile', async () => {
      await merchantConsole.setFault({ point: 'notify', kind: 'lost' });
      const [seen, unseen] = [await order(), await order()];
      await pay(seen.requestPayment);
      await pay(unseen.requestPayment);

      expect((await alice.order(seen.outTradeNo)).body.tradeState).toBe('SUCCESS');
      await stack.advanceClock(61);
      expect(await stack.invoke('reconcile')).toMatchObject({ paid: 1, failed: 0 });
      expect((await rowOf(unseen.outTradeNo))?.tradeState).toBe('SUCCESS');
    });

    test('an abandoned order is closed', async () => {
      const { outTradeNo } = await order();
      await stack.advanceClock(1801);

      expect(await stack.invoke('reconcile')).toMatchObject({ closed: 1, failed: 0 });

      expect((await rowOf(outTradeNo))?.tradeState).toBe('CLOSED');
      expect((await merchantConsole.booked(outTradeNo)).tradeState).toBe('CLOSED');
    });

    test('a notification that names other parties changes nothing, a right one does', async () => {
      await merchantConsole.setFault({ point: 'notify', kind: 'wrong-merchant', times: 1 });
      const { outTradeNo, requestPayment } = await order();
      await pay(requestPayment);
      await eventually(
        () => merchantConsole.booked(outTradeNo),
        ({ notifications }) => notifications[0]?.attempts.length === 1,
      );
      expect((await rowOf(outTradeNo))?.tradeState).toBe('NOTPAY');

      await stack.advanceClock(16);

      expect((await rowOf(outTradeNo))?.tradeState).toBe('SUCCESS');
    });

    test('a refund from the console makes the order REFUND', async () => {
      const { outTradeNo, requestPayment } = await order();
      await pay(requestPayment);
      await isPaid(outTradeNo);

      await merchantConsole.control(`orders/${outTradeNo}/refund-in-console`, {});

      const row = await eventually(
        () => rowOf(outTradeNo),
        (seen) => seen?.tradeState === 'REFUND',
      );
      expect(row?.transactionId).toBe((await merchantConsole.booked(outTradeNo)).transactionId);
    });
  });
});
