import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Hash, Transformer } from 'wechatpay-axios-plugin';
import { readOrder } from '../../lib/table/orders.ts';
import { orderId } from '../support/sample-orders.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import {
  type Buyer,
  call,
  eventually,
  type Failure,
  logIn,
  type OrderView,
} from '../support/shop.ts';
import { beijingNow } from '../support/beijing-now.ts';

let stack: Stack;
let dynamoDb: DynamoDBClient;
let alice: Buyer;
let bob: Buyer;

beforeAll(async () => {
  stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    log: 'silent',
  });
  dynamoDb = new DynamoDBClient({ endpoint: stack.dynamoDbEndpoint });
  alice = await logIn(stack, 'alice');
  bob = await logIn(stack, 'bob');
});
afterAll(() => stack.stop());

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

interface BookedOrder {
  readonly tradeState: string;
  readonly openid: string;
  readonly notifications: { readonly attempts: { readonly outcome: string }[] }[];
}

/** WeChat's own view of an order. */
const book = async (outTradeNo: string) =>
  (await call<BookedOrder>(`${stack.simulatorUrl}/_simulator/orders/${outTradeNo}`)).body;

const reconcile = () => stack.invoke('reconcile') as Promise<Record<string, number>>;

const setFault = (fault: Record<string, unknown>) =>
  call<{ id: string }>(`${stack.simulatorUrl}/_simulator/faults`, 'POST', fault);

const clearFaults = () => call(`${stack.simulatorUrl}/_simulator/faults`, 'DELETE');

/** A payment notification made by an independent client, signed with the merchant's real key. */
function notification(
  fields: Record<string, string>,
  signType: 'HMAC-SHA256' | 'MD5',
  key?: string,
) {
  const message: Record<string, string> = {
    appid: stack.merchant.appid,
    bank_type: 'CFT',
    cash_fee: '2800',
    fee_type: 'CNY',
    is_subscribe: 'N',
    mch_id: stack.merchant.mchid,
    nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
    result_code: 'SUCCESS',
    return_code: 'SUCCESS',
    time_end: beijingNow(),
    total_fee: '2800',
    trade_type: 'JSAPI',
    ...fields,
  };
  const sign = Hash.sign(signType, message, key ?? stack.merchant.apiV2Key);
  return Transformer.toXml({ ...message, sign });
}

async function notify(
  xml: string,
  headers: Record<string, string> = { 'content-type': 'text/xml' },
) {
  const response = await fetch(`${stack.apiUrl}/notify/v2/payment`, {
    method: 'POST',
    body: Buffer.from(xml),
    headers,
  });
  return { status: response.status, text: await response.text() };
}

const ACKNOWLEDGED = '<return_code><![CDATA[SUCCESS]]></return_code>';

async function genuineFields(outTradeNo: string) {
  const { openid } = await book(outTradeNo);
  return { out_trade_no: outTradeNo, openid, transaction_id: `42000${Date.now()}` };
}

describe('one payment', () => {
  test('goes from wx.login to a paid order', async () => {
    const { outTradeNo, totalFen, description, requestPayment } = await order();
    expect({ totalFen, description }).toEqual({ totalFen: 2800, description: expect.any(String) });
    expect(Object.keys(requestPayment).toSorted()).toEqual([
      'nonceStr',
      'package',
      'paySign',
      'signType',
      'timeStamp',
    ]);
    expect(await stateOf(outTradeNo)).toBe('NOTPAY');

    expect((await alice.pay(requestPayment)).body.errMsg).toBe('requestPayment:ok');

    const paid = await eventually(
      () => alice.order(outTradeNo),
      ({ body }) => body.tradeState === 'SUCCESS',
    );
    expect(paid.body).toMatchObject({
      outTradeNo,
      totalFen: 2800,
      transactionId: expect.stringMatching(/^\d{20,32}$/),
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

  test('is hidden from other buyers', async () => {
    const { outTradeNo } = await order();

    const seen = await bob.order<Failure>(outTradeNo);
    expect(seen.status).toBe(404);
    expect(seen.body.error.code).toBe('ORDER_NOT_FOUND');
    expect((await bob.prepay<Failure>({ outTradeNo })).body.error.code).toBe('ORDER_NOT_FOUND');
  });
});

describe('a notification', () => {
  test('of an independent client with the right key is taken, also twice', async () => {
    const { outTradeNo } = await order();
    const xml = notification(await genuineFields(outTradeNo), 'HMAC-SHA256');

    const answers = [await notify(xml), await notify(xml)];

    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.text).toContain(ACKNOWLEDGED);
    }
    expect(await stateOf(outTradeNo)).toBe('SUCCESS');
  });

  test.each([
    ['without a Content-Type', {}],
    ['with a Content-Type of any case', { 'CONTENT-TYPE': 'Text/XML; Charset=UTF-8' }],
    ['as bytes', { 'content-type': 'application/octet-stream' }],
  ])('%s is taken', async (_, headers) => {
    const { outTradeNo } = await order();

    const answer = await notify(
      notification(await genuineFields(outTradeNo), 'HMAC-SHA256'),
      headers,
    );

    expect(answer.text).toContain(ACKNOWLEDGED);
    expect(await stateOf(outTradeNo)).toBe('SUCCESS');
  });

  test.each([
    ['signed with another key', {}, 'HMAC-SHA256', 'x'.repeat(32), 401],
    ['signed with MD5', { sign_type: 'MD5' }, 'MD5', undefined, 401],
    ['of another merchant', { mch_id: '1900000109' }, 'HMAC-SHA256', undefined, 401],
    ['of another amount', { total_fee: '1' }, 'HMAC-SHA256', undefined, 409],
    ['in another currency', { fee_type: 'USD' }, 'HMAC-SHA256', undefined, 409],
    ['of another mini-program', { appid: 'wx0000000000000000' }, 'HMAC-SHA256', undefined, 409],
    [
      'of another payer',
      { openid: 'oSomebodyElse0000000000000000' },
      'HMAC-SHA256',
      undefined,
      409,
    ],
    ['of an unknown order', { out_trade_no: 'unknown-order' }, 'HMAC-SHA256', undefined, 404],
  ] as const)('%s changes nothing', async (_, change, signType, key, status) => {
    const { outTradeNo } = await order();
    const fields = { ...(await genuineFields(outTradeNo)), ...change };

    const answer = await notify(notification(fields, signType, key));

    expect(answer.status).toBe(status);
    expect(answer.text).toContain('<return_code><![CDATA[FAIL]]></return_code>');
    expect(await stateOf(outTradeNo)).toBe('NOTPAY');
  });

  test('tampered with on the way is refused, and a later genuine one is taken', async () => {
    await setFault({ point: 'notify', kind: 'tamper', times: 1 });
    const { outTradeNo, requestPayment } = await order();
    await alice.pay(requestPayment);
    await eventually(
      () => book(outTradeNo),
      ({ notifications }) => notifications[0]?.attempts.length === 1,
    );
    expect(await rowState(outTradeNo)).toBe('NOTPAY');

    await stack.advanceClock(16);

    expect(await rowState(outTradeNo)).toBe('SUCCESS');
    expect(
      (await book(outTradeNo)).notifications[0]?.attempts.map(({ outcome }) => outcome),
    ).toEqual(['bad-answer', 'acknowledged']);
    await clearFaults();
  });
});

describe('when notifications are lost', () => {
  beforeAll(() => setFault({ point: 'notify', kind: 'lost' }));
  afterAll(clearFaults);

  test('the buyer’s next look finds the payment', async () => {
    const { outTradeNo, requestPayment } = await order();
    await alice.pay(requestPayment);

    const seen: OrderView = (await alice.order(outTradeNo)).body;

    expect(seen.tradeState).toBe('SUCCESS');
  });

  test('reconcile finds the payment, and closes what nobody pays', async () => {
    await stack.advanceClock(61);
    await reconcile();
    const [paid, abandoned] = [await order(), await order(bob)];
    await alice.pay(paid.requestPayment);

    await stack.advanceClock(61);
    const first = await reconcile();
    expect(first).toMatchObject({ paid: 1, failed: 0, timeRanOut: false });
    expect(await stateOf(paid.outTradeNo)).toBe('SUCCESS');
    expect(await stateOf(abandoned.outTradeNo, bob)).toBe('NOTPAY');

    await stack.advanceClock(1800);
    const second = await reconcile();
    expect(second).toMatchObject({ paid: 0, failed: 0 });
    bob = await logIn(stack, 'bob');
    expect(await stateOf(abandoned.outTradeNo, bob)).toBe('CLOSED');
    expect((await book(abandoned.outTradeNo)).tradeState).toBe('CLOSED');
    expect((await bob.pay(abandoned.requestPayment)).body.errMsg).toMatch(/^requestPayment:fail /);
  });
});
