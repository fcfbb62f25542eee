/** The merchant moves to another number at WeChat while orders of the old one are open. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readOrder } from '../../lib/table/orders.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { newCertifiedKey } from '../support/rsa-keys.ts';
import { orderId } from '../support/sample-orders.ts';
import { type Buyer, eventually, logIn } from '../support/shop.ts';
import { openConsole, type StackConsole } from '../support/stack-console.ts';

/** After this, no function has a secret that it read before. */
const SECRET_CACHE_SECONDS = 301;

let stack: Stack;
let dynamoDb: DynamoDBClient;
let merchantConsole: StackConsole;

async function start(apiVersion: 'v2' | 'v3') {
  vi.resetModules();
  stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    log: 'silent',
    seed: 'merchant-number',
    apiVersion,
  });
  dynamoDb = new DynamoDBClient({ endpoint: stack.dynamoDbEndpoint });
  merchantConsole = openConsole(stack);
}

afterEach(async () => {
  merchantConsole.close();
  dynamoDb.destroy();
  await stack.stop();
});

const stored = (outTradeNo: string) =>
  readOrder({ client: dynamoDb, tableName: stack.tableName }, orderId(outTradeNo));
const prepay = async (buyer: Buyer) =>
  (await buyer.prepay({ items: [{ sku: 'latte', quantity: 1 }] })).body;

/** The keys of another number, of which the simulator knows nothing. */
async function changeNumber(mchid: string) {
  const { serialNo, privateKey, certificate } = newCertifiedKey(Date.now());
  await merchantConsole.putSecret({
    mchid,
    apiV2Key: mchid.repeat(4).slice(0, 32),
    apiV3Key: mchid.repeat(4).slice(0, 32),
    merchantSerialNo: serialNo,
    merchantPrivateKey: privateKey,
    merchantCertificate: certificate,
  });
  await stack.advanceClock(SECRET_CACHE_SECONDS);
}

describe.each(['v2', 'v3'] as const)('orders of API %s of the number before', (apiVersion) => {
  test('are found paid, confirmed, paid and closed with its keys', async () => {
    await start(apiVersion);
    const buyer = await logIn(stack, 'alice');
    const [lost, late, open, left] = [
      await prepay(buyer),
      await prepay(buyer),
      await prepay(buyer),
      await prepay(buyer),
    ];
    // No notification arrives before the number has changed: one is lost, one comes again.
    await merchantConsole.setFault({ point: 'notify', kind: 'lost', times: 1 });
    await buyer.pay(lost.requestPayment);
    await eventually(
      () => merchantConsole.booked(lost.outTradeNo),
      ({ notifications }) => notifications.some(({ state }) => state !== 'waiting'),
    );
    await changeNumber('1900000222');
    await buyer.pay(late.requestPayment);

    await eventually(
      () => stored(late.outTradeNo),
      (order) => order?.tradeState === 'SUCCESS',
    );
    expect((await buyer.order(open.outTradeNo)).body.tradeState).toBe('NOTPAY');
    await buyer.pay(open.requestPayment);
    await stack.invoke('reconcile');
    await stack.advanceClock(1801);
    await stack.invoke('reconcile');
    await stack.invoke('reconcile');
    const states = await Promise.all(
      [lost, late, open, left].map(
        async ({ outTradeNo }) => (await stored(outTradeNo))?.tradeState,
      ),
    );
    expect(states).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'CLOSED']);
  }, 120_000);

  test('are given up, once and loudly, when its keys are gone for good', async () => {
    await start(apiVersion);
    const buyer = await logIn(stack, 'alice');
    const { outTradeNo } = await prepay(buyer);
    await changeNumber('1900000222');
    await changeNumber('1900000333');

    for (let look = 0; look < 60; look += 1) {
      const { nextCheckAtEpochSeconds: next } = (await stored(outTradeNo)) ?? {};
      if (next === undefined) {
        break;
      }
      await stack.advanceClock(6 * 3600);
      await stack.invoke('reconcile');
    }
    expect(await stored(outTradeNo)).toMatchObject({
      tradeState: 'NOTPAY',
      nextCheckAtEpochSeconds: undefined,
    });
    expect(await stack.invoke('reconcile')).toMatchObject({ due: 0, unsettled: 0 });
  }, 120_000);
});
