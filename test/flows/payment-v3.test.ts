import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readOrder } from '../../lib/table/orders.ts';
import { orderId } from '../support/sample-orders.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { newKeyPair } from '../support/rsa-keys.ts';
import { type Buyer, eventually, type Failure, logIn } from '../support/shop.ts';
import { openConsole, type StackConsole } from '../support/stack-console.ts';
import { transaction, v3Notification, type WechatSigner } from '../support/v3-message.ts';

let stack: Stack;
let dynamoDb: DynamoDBClient;
let merchantConsole: StackConsole;
let alice: Buyer;
let bob: Buyer;
let wechatKeys: { readonly platformPrivateKey: string; readonly wechatpayPrivateKey: string };

beforeAll(async () => {
  stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    log: 'silent',
    apiVersion: 'v3',
    verification: 'switching',
  });
  dynamoDb = new DynamoDBClient({ endpoint: stack.dynamoDbEndpoint });
  merchantConsole = openConsole(stack);
  wechatKeys = JSON.parse(
    readFileSync(join(stack.dataDir, 'wechatpay-keys.json'), 'utf8'),
  ) as typeof wechatKeys;
  alice = await logIn(stack, 'alice');
  bob = await logIn(stack, 'bob');
});
afterAll(async () => {
  merchantConsole.close();
  dynamoDb.destroy();
  await stack.stop();
});

const latte = { items: [{ sku: 'latte', quantity: 1 }] };

async function order(buyer: Buyer = alice) {
  const prepaid = await buyer.prepay(latte);
  expect(prepaid.status).toBe(200);
  return prepaid.body;
}

/** What the table says, without the question to WeChat that a buyer's look brings about. */
const rowState = async (outTradeNo: string) =>
  (await readOrder({ client: dynamoDb, tableName: stack.tableName }, orderId(outTradeNo)))
    ?.tradeState;

const stateOf = async (outTradeNo: string, buyer = alice) =>
  (await buyer.order(outTradeNo)).body.tradeState;

const attemptsOf = async (outTradeNo: string) =>
  (await merchantConsole.booked(outTradeNo)).notifications[0]?.attempts ?? [];

const publicKey = (): WechatSigner => ({
  serial: stack.merchant.wechatpayPublicKeyId,
  privateKey: wechatKeys.wechatpayPrivateKey,
});
const platformCertificate = (): WechatSigner => ({
  serial: stack.merchant.platformSerialNo,
  privateKey: wechatKeys.platformPrivateKey,
});

/** What a notification of an order's payment contains. */
async function paymentOf(outTradeNo: string) {
  const { openid } = await merchantConsole.booked(outTradeNo);
  return transaction({
    appid: stack.merchant.appid,
    mchid: stack.merchant.mchid,
    out_trade_no: outTradeNo,
    payer: { openid },
    success_time: new Date().toISOString(),
  });
}

/** A notification made by an independent client with WeChat's real keys, but for the changes. */
function notification(changes: Parameters<typeof v3Notification>[0]) {
  return v3Notification({
    timestamp: Math.floor(Date.now() / 1000),
    nonce: randomBytes(16).toString('hex'),
    signer: publicKey(),
    key: stack.merchant.apiV3Key,
    ...changes,
  });
}

async function notify({ headers, body }: ReturnType<typeof notification>) {
  const response = await fetch(`${stack.apiUrl}/notify/v3`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, json: (await response.json()) as Record<string, string> };
}

describe('one payment by API v3', () => {
  test('goes from wx.login to a paid order', async () => {
    const { outTradeNo, totalFen, requestPayment } = await order();
    expect(totalFen).toBe(2800);
    expect(requestPayment).toEqual({
      timeStamp: expect.stringMatching(/^\d{10}$/),
      nonceStr: expect.stringMatching(/^[0-9A-Za-z]{1,32}$/),
      package: expect.stringMatching(/^prepay_id=\S+$/),
      signType: 'RSA',
      paySign: expect.stringMatching(/^[0-9A-Za-z+/]{342}==$/),
    });
    expect(await merchantConsole.booked(outTradeNo)).toMatchObject({ api: 'v3' });
    expect(await stateOf(outTradeNo)).toBe('NOTPAY');

    expect((await alice.pay(requestPayment)).body.errMsg).toBe('requestPayment:ok');

    await eventually(
      () => rowState(outTradeNo),
      (state) => state === 'SUCCESS',
    );
    expect((await alice.order(outTradeNo)).body).toMatchObject({
      outTradeNo,
      totalFen: 2800,
      tradeState: 'SUCCESS',
      transactionId: (await merchantConsole.booked(outTradeNo)).transactionId,
      paidAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  test('is one order however often and at once the same key is sent', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => alice.prepay(latte, key)));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.outTradeNo)).size).toBe(1);
  });

  test('can be cancelled and paid again under the same number', async () => {
    const { outTradeNo, requestPayment } = await order();
    expect((await alice.pay(requestPayment, { cancel: true })).body.errMsg).toBe(
      'requestPayment:fail cancel',
    );

    const again = await alice.prepay({ outTradeNo });
    expect(again.body.outTradeNo).toBe(outTradeNo);
    await alice.pay(again.body.requestPayment);

    await eventually(
      () => stateOf(outTradeNo),
      (state) => state === 'SUCCESS',
    );
    expect((await alice.prepay<Failure>({ outTradeNo })).body.error.code).toBe(
      'ORDER_ALREADY_PAID',
    );
  });
});

describe('a v3 notification of an independent client', () => {
  test.each([
    ['WeChat Pay’s public key', publicKey],
    ['the platform certificate', platformCertificate],
  ])('signed with %s is taken, also twice', async (_, signer) => {
    const { outTradeNo } = await order();
    const message = notification({ content: await paymentOf(outTradeNo), signer: signer() });

    const answers = [await notify(message), await notify(message)];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1]?.json).toEqual({ code: 'SUCCESS', message: 'OK' });
    expect(await rowState(outTradeNo)).toBe('SUCCESS');
  });

  test('is taken whatever the case of its headers', async () => {
    const { outTradeNo } = await order();
    const { headers, body } = notification({ content: await paymentOf(outTradeNo) });
    const shouted = Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]);

    const answer = await notify({ headers: Object.fromEntries(shouted), body });

    expect(answer.status).toBe(200);
    expect(await rowState(outTradeNo)).toBe('SUCCESS');
  });

  const madeUp = newKeyPair().privateKey;
  test.each([
    ['of another amount', { amount: { total: 1, currency: 'CNY' } }, 409, 'TRANSACTION_MISMATCH'],
    [
      'in another currency',
      { amount: { total: 2800, currency: 'USD' } },
      409,
      'TRANSACTION_MISMATCH',
    ],
    ['of another mini-program', { appid: 'wx0000000000000000' }, 409, 'TRANSACTION_MISMATCH'],
    ['of another payer', { payer: { openid: 'oSomebodyElse' } }, 409, 'TRANSACTION_MISMATCH'],
    ['of another merchant', { mchid: '1900000110' }, 401, 'SIGNATURE_INVALID'],
    ['of an unknown order', { out_trade_no: 'unknown-order' }, 404, 'ORDER_NOT_FOUND'],
    ['of a payment that is not there', { trade_state: 'NOTPAY' }, 400, 'MALFORMED_MESSAGE'],
  ])('%s changes nothing', async (_, changes, status, code) => {
    const { outTradeNo } = await order();
    const content = { ...(await paymentOf(outTradeNo)), ...changes };

    const answer = await notify(notification({ content }));

    expect(answer).toEqual({ status, json: { code: 'FAIL', message: code } });
    expect(await rowState(outTradeNo)).toBe('NOTPAY');
  });

  const nowSeconds = () => Math.floor(Date.now() / 1000);
  test.each([
    [
      'signed with a made-up key under the public key’s id',
      () => ({ signer: { ...publicKey(), privateKey: madeUp } }),
      401,
    ],
    [
      'signed with a made-up key under the certificate’s serial',
      () => ({ signer: { ...platformCertificate(), privateKey: madeUp } }),
      401,
    ],
    [
      'signed with a made-up key and serial',
      () => ({
        signer: { serial: '5157F09EFDC096DE15EBE81A47057A7232F1B8E1', privateKey: madeUp },
      }),
      401,
    ],
    [
      'signed with the public key under the certificate’s serial',
      () => ({ signer: { ...publicKey(), serial: stack.merchant.platformSerialNo } }),
      401,
    ],
    [
      'signed with the merchant’s own key',
      () => ({
        signer: {
          serial: stack.merchant.merchantSerialNo,
          privateKey: stack.merchant.merchantPrivateKey,
        },
      }),
      401,
    ],
    ['signed five minutes ago', () => ({ timestamp: nowSeconds() - 300 }), 401],
    ['signed five minutes ahead', () => ({ timestamp: nowSeconds() + 301 }), 401],
    ['encrypted with another key', () => ({ key: 'x'.repeat(32) }), 500],
    ['of another kind of event', () => ({ eventType: 'COUPON.USE' }), 400],
  ])('%s changes nothing', async (_, changes, status) => {
    const { outTradeNo } = await order();
    const content = await paymentOf(outTradeNo);

    const answer = await notify(notification({ content, ...changes() }));

    expect([answer.status, answer.json['code']]).toEqual([status, 'FAIL']);
    expect(await rowState(outTradeNo)).toBe('NOTPAY');
  });
});

describe('a v3 notification of WeChat', () => {
  test.each([
    { kind: 'tamper', part: 'body' },
    { kind: 'tamper', part: 'ciphertext' },
    { kind: 'tamper', part: 'tag' },
    { kind: 'tamper', part: 'signature' },
    { kind: 'probe' },
  ])(
    'is refused when $kind $part changes it, and the genuine one after it is taken',
    async (fault) => {
      await merchantConsole.setFault({ point: 'notify', times: 1, ...fault });
      const { outTradeNo, requestPayment } = await order();
      await alice.pay(requestPayment);
      await eventually(
        () => attemptsOf(outTradeNo),
        ({ length }) => length === 1,
      );
      expect(await rowState(outTradeNo)).toBe('NOTPAY');

      await stack.advanceClock(16);

      expect(await rowState(outTradeNo)).toBe('SUCCESS');
      const outcomes = (await attemptsOf(outTradeNo)).map(({ outcome }) => outcome);
      expect(outcomes).toEqual([expect.not.stringMatching('^acknowledged$'), 'acknowledged']);
      await merchantConsole.clearFaults();
    },
  );

  test('that comes twice at the same moment is taken twice and counted once', async () => {
    await merchantConsole.setFault({ point: 'notify', kind: 'duplicate' });
    const { outTradeNo, requestPayment } = await order();
    await alice.pay(requestPayment);

    await eventually(
      () => attemptsOf(outTradeNo),
      ({ length }) => length >= 2,
    );

    await merchantConsole.clearFaults();
    expect((await attemptsOf(outTradeNo)).map(({ outcome }) => outcome)).toEqual([
      'acknowledged',
      'acknowledged',
    ]);
    expect(await rowState(outTradeNo)).toBe('SUCCESS');
  });
});

describe('when v3 notifications are lost', () => {
  beforeAll(() => merchantConsole.setFault({ point: 'notify', kind: 'lost' }));
  afterAll(() => merchantConsole.clearFaults());

  test('the buyer’s next look finds the payment', async () => {
    const { outTradeNo, requestPayment } = await order();
    await alice.pay(requestPayment);

    expect(await stateOf(outTradeNo)).toBe('SUCCESS');
  });

  test('reconcile finds the payment, and closes what nobody pays', async () => {
    await stack.advanceClock(61);
    await stack.invoke('reconcile');
    const [paid, abandoned] = [await order(), await order(bob)];
    await alice.pay(paid.requestPayment);

    await stack.advanceClock(61);
    expect(await stack.invoke('reconcile')).toMatchObject({ paid: 1, failed: 0 });
    expect(await rowState(paid.outTradeNo)).toBe('SUCCESS');
    expect(await rowState(abandoned.outTradeNo)).toBe('NOTPAY');

    await stack.advanceClock(1800);
    expect(await stack.invoke('reconcile')).toMatchObject({ paid: 0, failed: 0 });
    expect(await rowState(abandoned.outTradeNo)).toBe('CLOSED');
    expect((await merchantConsole.booked(abandoned.outTradeNo)).tradeState).toBe('CLOSED');
    expect((await bob.pay(abandoned.requestPayment)).body.errMsg).toMatch(/^requestPayment:fail /);
  });
});
