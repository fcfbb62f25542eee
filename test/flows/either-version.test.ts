import { createHash, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Aes, Transformer } from 'wechatpay-axios-plugin';
import { readOrder } from '../../lib/table/orders.ts';
import { orderId } from '../support/sample-orders.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { type Buyer, call, eventually, type Failure, logIn } from '../support/shop.ts';
import { openConsole, type StackConsole } from '../support/stack-console.ts';

const latte = { items: [{ sku: 'latte', quantity: 1 }] };

describe.each(['v2', 'v3'] as const)('by API %s', (apiVersion) => {
  let stack: Stack;
  let dynamoDb: DynamoDBClient;
  let merchantConsole: StackConsole;
  let alice: Buyer;

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
    alice = await logIn(stack, 'alice');
  });
  afterEach(() => merchantConsole.clearFaults());
  afterAll(async () => {
    merchantConsole.close();
    dynamoDb.destroy();
    await stack.stop();
  });

  const rowOf = (outTradeNo: string) =>
    readOrder({ client: dynamoDb, tableName: stack.tableName }, orderId(outTradeNo));
  const rowState = async (outTradeNo: string) => (await rowOf(outTradeNo))?.tradeState;

  async function order() {
    const prepaid = await alice.prepay(latte);
    expect(prepaid.status).toBe(200);
    return prepaid.body;
  }

  async function payAndSettle() {
    const { outTradeNo, requestPayment } = await order();
    expect((await alice.pay(requestPayment)).body.errMsg).toBe('requestPayment:ok');
    await eventually(
      () => rowState(outTradeNo),
      (state) => state === 'SUCCESS',
    );
    return outTradeNo;
  }

  const refundsOf = async (outTradeNo: string) =>
    (await merchantConsole.booked(outTradeNo)).notifications.filter(
      ({ kind }) => !kind.startsWith('payment'),
    );

  test.each([[100], [2800]])(
    'a refund of %i fen from the console makes the order REFUND',
    async (refundFen) => {
      const outTradeNo = await payAndSettle();

      await merchantConsole.control(`orders/${outTradeNo}/refund-in-console`, { refundFen });

      await eventually(
        () => rowState(outTradeNo),
        (state) => state === 'REFUND',
      );
      const { body } = await alice.order(outTradeNo);
      expect(body.tradeState).toBe('REFUND');
      expect(body.transactionId).toBe((await merchantConsole.booked(outTradeNo)).transactionId);
      await eventually(
        () => refundsOf(outTradeNo),
        (notifications) => notifications[0]?.state === 'acknowledged',
      );
    },
  );

  test('a refund is not believed while WeChat cannot be asked, and recorded later', async () => {
    const outTradeNo = await payAndSettle();
    await merchantConsole.setFault({ point: 'orderquery', kind: 'error', code: 'SYSTEMERROR' });

    await merchantConsole.control(`orders/${outTradeNo}/refund-in-console`, {});
    await eventually(
      () => refundsOf(outTradeNo),
      (notifications) => notifications[0]?.attempts.length === 1,
    );
    expect(await rowState(outTradeNo)).toBe('SUCCESS');

    await merchantConsole.clearFaults();
    await stack.advanceClock(16);
    expect(await rowState(outTradeNo)).toBe('REFUND');
  });

  test('a refund that nobody made is not believed', async () => {
    const outTradeNo = await payAndSettle();
    // Encrypted with the merchant's real key, but WeChat knows of no refund.
    const key = createHash('md5').update(stack.merchant.apiV2Key).digest('hex');
    const refund = Transformer.toXml({
      out_trade_no: outTradeNo,
      transaction_id: (await merchantConsole.booked(outTradeNo)).transactionId ?? '',
      out_refund_no: 'refund-0001',
      refund_id: '50000000382026030100000000001',
      total_fee: '2800',
      refund_fee: '2800',
      refund_status: 'SUCCESS',
    }).replaceAll('xml>', 'root>');
    const message = {
      return_code: 'SUCCESS',
      appid: stack.merchant.appid,
      mch_id: stack.merchant.mchid,
      nonce_str: 'c4e8f0a7d8d945e1a3b9c1f2e3d4c5b6',
      req_info: Aes.AesEcb.encrypt(refund, key),
    };

    const answer = await fetch(`${stack.apiUrl}/notify/v2/refund`, {
      method: 'POST',
      body: Transformer.toXml(message),
    });

    expect([answer.status, await answer.text()]).toEqual([
      500,
      expect.stringContaining('WECHAT_PAY_BUSY'),
    ]);
    expect(await rowState(outTradeNo)).toBe('SUCCESS');
  });

  /** Lets an order expire with a payment that only the next run of reconcile can find. */
  async function payUnseen() {
    await stack.advanceClock(1801);
    await stack.invoke('reconcile');
    alice = await logIn(stack, 'alice');
    await merchantConsole.setFault({ point: 'notify', kind: 'lost' });
    const { outTradeNo, requestPayment } = await order();
    expect((await alice.pay(requestPayment)).body.errMsg).toBe('requestPayment:ok');
    await stack.advanceClock(1801);
    return outTradeNo;
  }

  test('a paid order that a lagging host does not find once is not closed, but paid', async () => {
    const outTradeNo = await payUnseen();
    await merchantConsole.setFault({
      point: 'orderquery',
      kind: 'error',
      code: 'ORDERNOTEXIST',
      times: 1,
    });

    // The close said ORDERPAID, the query ORDERNOTEXIST.
    expect(await stack.invoke('reconcile')).toMatchObject({ due: 1, closed: 0, paid: 0 });
    expect(await rowState(outTradeNo)).toBe('NOTPAY');

    await stack.advanceClock(301);
    expect(await stack.invoke('reconcile')).toMatchObject({ closed: 0, paid: 1, failed: 0 });
    const { transactionId } = await merchantConsole.booked(outTradeNo);
    expect(await rowOf(outTradeNo)).toMatchObject({ tradeState: 'SUCCESS', transactionId });
    expect((await rowOf(outTradeNo))?.paidAfterClose).toBeUndefined();
  });

  test('a paid order whose close and query fail once is paid in a later run', async () => {
    const outTradeNo = await payUnseen();
    for (const point of ['closeorder', 'orderquery']) {
      await merchantConsole.setFault({ point, kind: 'error', code: 'SYSTEMERROR', times: 1 });
    }

    expect(await stack.invoke('reconcile')).toMatchObject({ due: 1, closed: 0, failed: 1 });
    await stack.advanceClock(301);
    expect(await stack.invoke('reconcile')).toMatchObject({ paid: 1, failed: 0 });

    expect(await rowState(outTradeNo)).toBe('SUCCESS');
  });

  test('an order that never reached WeChat is closed', async () => {
    await stack.advanceClock(1801);
    await stack.invoke('reconcile');
    alice = await logIn(stack, 'alice');
    await merchantConsole.setFault({ point: 'unifiedorder', kind: 'error', code: 'SYSTEMERROR' });
    const lost = await alice.prepay<Failure>(latte);
    expect([lost.status, lost.body.error.code]).toEqual([503, 'WECHAT_PAY_BUSY']);
    await merchantConsole.clearFaults();
    await stack.advanceClock(1801);

    expect(await stack.invoke('reconcile')).toMatchObject({ due: 1, closed: 1, failed: 0 });
  });

  test('when the answer to unifiedorder is lost, a repeat makes no second order', async () => {
    await merchantConsole.setFault({ point: 'unifiedorder', kind: 'timeout-after', times: 2 });
    const key = randomUUID();
    expect((await alice.prepay(latte, key)).status).toBe(503);
    await merchantConsole.clearFaults();

    const { outTradeNo, requestPayment } = (await alice.prepay(latte, key)).body;
    await alice.pay(requestPayment);

    await eventually(
      () => rowState(outTradeNo),
      (state) => state === 'SUCCESS',
    );
    const { body } = await call<{ orders: { outTradeNo: string }[] }>(
      `${stack.simulatorUrl}/_simulator/orders`,
    );
    expect(body.orders.filter((one) => one.outTradeNo === outTradeNo)).toHaveLength(1);
  });

  test.each([
    ['SYSTEMERROR', 503, 'WECHAT_PAY_BUSY'],
    ['NOAUTH', 500, 'CONFIG_ERROR'],
    ['PARAM_ERROR', 502, 'WECHAT_PAY_REFUSED'],
    ['ORDERPAID', 409, 'ORDER_ALREADY_PAID'],
    ['ORDERCLOSED', 409, 'ORDER_CLOSED'],
  ])(
    'when unifiedorder answers %s, the buyer’s client gets %i %s',
    async (wechatCode, status, code) => {
      await merchantConsole.setFault({
        point: 'unifiedorder',
        kind: 'error',
        code: wechatCode,
        times: 1,
      });

      const answer = await alice.prepay<Failure>(latte);

      expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    },
  );

  test.each([
    ['tamper', 'NOTPAY'],
    ['wrong-amount', 'NOTPAY'],
    ['wrong-merchant', 'NOTPAY'],
    ['drop', 'SUCCESS'],
  ])('when orderquery misbehaves (%s), a paid order is seen as %s', async (kind, state) => {
    await merchantConsole.setFault({ point: 'notify', kind: 'lost' });
    const { outTradeNo, requestPayment } = await order();
    await alice.pay(requestPayment);
    await merchantConsole.setFault({ point: 'orderquery', kind, times: 1 });

    expect((await alice.order(outTradeNo)).body.tradeState).toBe(state);

    await merchantConsole.clearFaults();
    await stack.advanceClock(5);
    expect((await alice.order(outTradeNo)).body.tradeState).toBe('SUCCESS');
  });

  test('when an answer to unifiedorder is altered, nothing of it is believed', async () => {
    await merchantConsole.setFault({ point: 'unifiedorder', kind: 'tamper', times: 1 });

    const answer = await alice.prepay<Failure>(latte);

    expect([answer.status, answer.body.error.code]).toEqual([502, 'SIGNATURE_INVALID']);
  });

  test('when the primary host is down, the backup takes the order', async () => {
    await merchantConsole.setFault({ point: 'host', kind: 'down' });

    expect((await alice.prepay(latte)).status).toBe(200);
  });
});
