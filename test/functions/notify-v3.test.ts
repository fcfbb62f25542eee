import { describe, expect, test } from 'vitest';
import { reserveRefund } from '../../lib/table/refunds.ts';
import { rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { carriedIn, factsIn } from '../support/facts-of.ts';
import { openNotifiedShop } from '../support/notified-shop.ts';
import { givePaidOrder } from '../support/paid-order.ts';
import { CREATED_AT } from '../support/sample-orders.ts';
import { sampleRefund } from '../support/sample-refunds.ts';
import { merchantWith, secretVersions } from '../support/secret-versions.ts';
import { refundXml } from '../support/v2-refund.ts';
import { paidFields, signed, type WireFields, xmlOf } from '../support/v2-message.ts';
import { type V3Answer, v3Double } from '../support/v3-double.ts';
import { refund, transaction, v3Merchant, v3Notification } from '../support/v3-message.ts';

const emptyTable = useEmbeddedTables();
type Setting = NonNullable<Parameters<typeof openNotifiedShop>[1]>;

/** A shop with an order of v3; WeChat answers queries with `answer`. */
async function openV3(answer: V3Answer = {}, setting: Setting = {}) {
  const double = v3Double(answer, { merchant: secretVersions(v3Merchant()) });
  const order =
    setting.order === 'none' ? setting.order : { apiVersion: 'v3' as const, ...setting.order };
  const shop = await openNotifiedShop(await emptyTable(), {
    ...setting,
    order,
    v3: double.wechatPay,
  });
  return {
    ...shop,
    requests: double.requests,
    notify: ({ headers, body }: ReturnType<typeof v3Notification>, base64 = false) =>
      shop.deliver(body.toString(base64 ? 'base64' : 'utf8'), headers, base64, '/notify/v3'),
  };
}

/** A shop with an order of v2; WeChat answers queries with signed fields. */
async function openV2(fields: WireFields, setting: Setting = {}) {
  const paths: string[] = [];
  const shop = await openNotifiedShop(await emptyTable(), {
    merchant: [merchantWith()],
    transport: async ({ path }) => {
      paths.push(path);
      return { statusCode: 200, headers: {}, body: Buffer.from(xmlOf(signed(fields))) };
    },
    ...setting,
  });
  return {
    ...shop,
    paths,
    notify: (xml: string) => shop.deliver(xml, {}, false, '/notify/v2/refund'),
  };
}

const RECEIVED = { code: 'SUCCESS', message: 'OK' };
const failed = (code: string) => ({ code: 'FAIL', message: code });
const REFUNDED = { json: transaction({ trade_state: 'REFUND' }) };
const refunded = v3Notification({ content: refund(), eventType: 'REFUND.SUCCESS' });
const paidOrder = { tradeState: 'SUCCESS', transactionId: '4200000001202603010000000001' } as const;

describe('a notification of API v3', () => {
  test.each([false, true])('makes the order paid with one write (base64: %s)', async (base64) => {
    const shop = await openV3();

    const answer = await shop.notify(v3Notification(), base64);

    expect(answer).toMatchObject({
      statusCode: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      returned: RECEIVED,
    });
    expect(shop.operations).toEqual(['UpdateItem']);
    expect(await shop.row()).toMatchObject({
      tradeState: { S: 'SUCCESS' },
      transactionId: { S: '4200000001202603010000000001' },
      paidAt: { S: '2026-03-01T02:00:40Z' },
    });
    expect(shop.log.counts).toEqual({ OrderPaid: 1 });
  });

  test('counts with headers in the case that the gateway gives them', async () => {
    const shop = await openV3();
    const { headers, body } = v3Notification();
    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);

    expect(await shop.notify({ headers: Object.fromEntries(lower), body })).toMatchObject({
      statusCode: 200,
    });
  });

  test.each<[string, object, string]>([
    ['amount', { amount: { total: 1, currency: 'CNY' } }, 'totalFen'],
    ['appid', { appid: 'wx9999999999999999' }, 'appid'],
    ['payer', { payer: { openid: 'oSomebodyElse' } }, 'openid'],
    [
      'sub-merchant',
      {
        mchid: undefined,
        sp_mchid: '1900000109',
        sp_appid: 'wx8888888888888888',
        sub_mchid: '1900000999',
        payer: { sp_openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
      },
      'subMchid',
    ],
  ])('with another %s than the order’s is not recorded', async (_, change, field) => {
    const shop = await openV3();

    const answer = await shop.notify(v3Notification({ content: transaction(change) }));

    expect(answer).toMatchObject({ statusCode: 409, returned: failed('TRANSACTION_MISMATCH') });
    expect(await shop.row()).toMatchObject({
      tradeState: { S: 'NOTPAY' },
      mismatch: { M: { field: { S: field } } },
    });
    expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
    expect(await shop.alarms()).toEqual({ TransactionMismatch: 1 });
  });

  test.each([
    'soon',
    '2026-02-31',
    '2026-13-01T10:00:00+08:00',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59+08:00',
    '2026-02-27T10:00:00+08:00',
  ])('of a payment at %s is a contradiction for a person to look at', async (time) => {
    const shop = await openV3();

    const answer = await shop.notify(
      v3Notification({ content: transaction({ success_time: time }) }),
    );

    expect(answer).toMatchObject({ statusCode: 409, returned: failed('TRANSACTION_MISMATCH') });
    expect(await shop.row()).toMatchObject({
      tradeState: { S: 'NOTPAY' },
      mismatch: { M: { field: { S: 'paidAtEpochSeconds' } } },
    });
    expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
    expect(await shop.alarms()).toEqual({ TransactionMismatch: 1 });
  });

  test.each([5, null, {}, ['OTHERS'], true])(
    'is recorded whatever its bank_type is: %j',
    async (bankType) => {
      const shop = await openV3();
      const content = transaction({ bank_type: bankType, trade_state_desc: 7, attach: {} });

      expect(await shop.notify(v3Notification({ content }))).toMatchObject({ statusCode: 200 });
      expect(await shop.row()).not.toHaveProperty('bankType');
    },
  );

  test.each([
    [{ subMchid: '1900000999' }, { sp_appid: 'wx8888888888888888' }, 'sp_openid'],
    [
      { subMchid: '1900000999', spAppid: 'wx00000000provider' },
      { sp_appid: 'wx00000000provider', sub_appid: 'wx8888888888888888' },
      'sub_openid',
    ],
  ])('pays the order of a sub-merchant: %j', async (order, parties, payer) => {
    const shop = await openV3({}, { order });
    const content = transaction({
      appid: undefined,
      mchid: undefined,
      sp_mchid: '1900000109',
      sub_mchid: '1900000999',
      ...parties,
      payer: { [payer]: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
    });

    expect(await shop.notify(v3Notification({ content }))).toMatchObject({ statusCode: 200 });
    expect(shop.operations).toEqual(['UpdateItem']);
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'SUCCESS' } });
  });

  test('that is a probe is refused and rings nothing', async () => {
    const shop = await openV3();
    const { headers, body } = v3Notification();
    const probe = { ...headers, 'Wechatpay-Signature': 'WECHATPAY/SIGNTEST/AAAA' };

    expect(await shop.notify({ headers: probe, body })).toMatchObject({
      statusCode: 401,
      returned: failed('SIGNATURE_INVALID'),
    });
    expect(shop.operations).toEqual([]);
    expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
    expect(shop.log.messages('warn')).toEqual(['notification refused']);
  });

  test('that no key decrypts is a wrong setting', async () => {
    const shop = await openV3();

    expect(await shop.notify(v3Notification({ key: 'x'.repeat(32) }))).toMatchObject({
      statusCode: 500,
      returned: failed('CONFIG_ERROR'),
    });
    expect(shop.log.counts).toEqual({ NotificationRefused: 1, ConfigError: 1 });
  });

  test('to a merchant without the keys of v3 is refused, and is no wrong setting', async () => {
    const double = v3Double({}, { merchant: secretVersions(merchantWith()) });
    const shop = await openNotifiedShop(await emptyTable(), { v3: double.wechatPay });
    for (const serial of ['PUB_KEY_ID_1', '4F'.repeat(20)]) {
      const { headers, body } = v3Notification({
        signer: { serial, privateKey: v3Merchant().merchantPrivateKey ?? '' },
      });
      const answer = await shop.deliver(body.toString(), headers, false, '/notify/v3');

      expect(answer).toMatchObject({ statusCode: 401, returned: failed('SIGNATURE_INVALID') });
    }
    expect(shop.log.counts).toEqual({ NotificationRefused: 2, SignatureRejected: 2 });
    expect(double.requests).toEqual([]);
  });
});

describe('a refund that WeChat reports', () => {
  test('on its way is received, and nobody is asked', async () => {
    const content = refund({ refund_status: 'PROCESSING', success_time: undefined });
    const shop = await openV3();

    expect(
      await shop.notify(v3Notification({ content, eventType: 'REFUND.PROCESSING' })),
    ).toMatchObject({ statusCode: 200, returned: RECEIVED });
    expect(shop.requests).toEqual([]);
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'NOTPAY' } });
  });

  test('by v3 is recorded once WeChat confirms it', async () => {
    const shop = await openV3(REFUNDED, { order: paidOrder });

    expect(await shop.notify(refunded)).toMatchObject({ statusCode: 200, returned: RECEIVED });
    expect(shop.requests.map(({ path }) => path)).toEqual([
      '/v3/pay/transactions/out-trade-no/order-0001?mchid=1900000109',
    ]);
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'REFUND' } });
  });

  test('by v2, from the merchant console, is recorded once WeChat confirms it', async () => {
    const shop = await openV2(paidFields({ trade_state: 'REFUND' }), { order: paidOrder });

    expect(await shop.notify(refundXml())).toMatchObject({
      statusCode: 200,
      returned: { return_code: 'SUCCESS' },
    });
    expect(shop.paths).toEqual(['/pay/orderquery']);
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'REFUND' } });
  });

  test('by v2 of an order of v3 is confirmed through v3', async () => {
    const double = v3Double(REFUNDED, { merchant: secretVersions(v3Merchant()) });
    const order = { ...paidOrder, apiVersion: 'v3' } as const;
    const shop = await openV2({}, { order, v3: double.wechatPay });

    expect(await shop.notify(refundXml())).toMatchObject({ statusCode: 200 });
    expect(shop.paths).toEqual([]);
    expect(double.requests).toHaveLength(1);
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'REFUND' } });
  });

  test('of a payment whose notification was lost records both', async () => {
    const shop = await openV3(REFUNDED);

    expect(await shop.notify(refunded)).toMatchObject({ statusCode: 200 });
    expect(await shop.row()).toMatchObject({
      tradeState: { S: 'REFUND' },
      transactionId: { S: '4200000001202603010000000001' },
    });
    expect(shop.log.counts).toEqual({ OrderPaid: 1 });
  });

  test('a second time, or in parts, is acknowledged without asking', async () => {
    const shop = await openV3({}, { order: { ...paidOrder, tradeState: 'REFUND' } });

    expect(await shop.notify(refunded)).toMatchObject({ statusCode: 200 });
    expect(shop.requests).toEqual([]);
    expect(shop.operations).toEqual(['BatchGetItem', 'UpdateItem']);
  });

  test.each(['CLOSED', 'ABNORMAL'])(
    'as %s leaves the order paid, is acknowledged, and is worth a line',
    async (status) => {
      const shop = await openV3({ json: transaction() }, { order: paidOrder });
      const content = refund({ refund_status: status });

      const answer = await shop.notify(v3Notification({ content, eventType: `REFUND.${status}` }));

      expect(answer).toMatchObject({ statusCode: 200 });
      expect(await shop.row()).toMatchObject({ tradeState: { S: 'SUCCESS' } });
      expect(shop.log.messages('warn')).toEqual([
        'a refund did not reach the buyer: see the merchant console',
      ]);
    },
  );

  test('but that WeChat’s order does not show is not acknowledged', async () => {
    const shop = await openV3({ json: transaction() }, { order: paidOrder });

    expect(await shop.notify(refunded)).toMatchObject({
      statusCode: 500,
      returned: failed('WECHAT_PAY_BUSY'),
    });
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'SUCCESS' } });
  });

  test('is not acknowledged when WeChat cannot be asked', async () => {
    const shop = await openV3({ status: 502, text: 'bad gateway' }, { order: paidOrder });

    expect(await shop.notify(refunded)).toMatchObject({
      statusCode: 500,
      returned: failed('WECHAT_UNREACHABLE'),
    });
  });

  test('of an order that is not ours is not acknowledged, and rings nothing', async () => {
    const shop = await openV3({}, { order: 'none' });

    expect(await shop.notify(refunded)).toMatchObject({
      statusCode: 404,
      returned: failed('ORDER_NOT_FOUND'),
    });
    expect(shop.requests).toEqual([]);
    expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
  });

  test('of an order that WeChat knows otherwise is a contradiction', async () => {
    const other = { trade_state: 'REFUND', amount: { total: 1 } };
    const shop = await openV3({ json: transaction(other) }, { order: paidOrder });

    expect(await shop.notify(refunded)).toMatchObject({ statusCode: 409 });
    expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
    expect(await shop.alarms()).toEqual({ TransactionMismatch: 1 });
  });
});

describe('a message of API v3', () => {
  const KEPT = {
    id: 'EV-2018022511223320873',
    key: '2026-03-01T02:01:00.000Z#EV-2018022511223320873',
    receivedAt: '2026-03-01T02:01:00.000Z',
    apiVersion: 'v3',
  };

  test('about a payment is kept under WeChat’s own name of it, decrypted', async () => {
    const shop = await openV3();
    await shop.notify(v3Notification());

    const { message, ...carried } = carriedIn(await shop.row()) ?? {};
    expect(carried).toEqual({
      ...KEPT,
      kind: 'payment',
      decision: 'apply',
      from: 'NOTPAY',
      to: 'SUCCESS',
      answer: 200,
    });
    expect(JSON.parse(String(message))).toEqual({
      id: KEPT.id,
      create_time: '2026-03-01T10:00:41+08:00',
      resource_type: 'encrypt-resource',
      event_type: 'TRANSACTION.SUCCESS',
      summary: '支付成功',
      resource: transaction(),
    });
  });

  test('about a refund without a row is kept beside its order, with the question to be asked', async () => {
    const shop = await openV3({}, { order: { ...paidOrder, tradeState: 'REFUND' } });
    await shop.notify(refunded);

    expect(shop.operations).toEqual(['BatchGetItem', 'UpdateItem']);
    expect(carriedIn(await shop.row())).toMatchObject({
      ...KEPT,
      kind: 'refund',
      decision: 'duplicate',
      answer: 200,
    });
  });

  test('that ends a refund is kept beside that', async () => {
    const table = await emptyTable();
    const order = await givePaidOrder(table);
    const turns = { nowEpochSeconds: CREATED_AT, order: false, probe: false };
    await reserveRefund(table, sampleRefund(), turns, undefined);
    const v3 = v3Double({}, { merchant: secretVersions(v3Merchant()) }).wechatPay;
    const shop = await openNotifiedShop(table, { order: 'none', v3 });
    const { headers, body } = refunded;
    const answer = await shop.deliver(body.toString(), headers, false, '/notify/v3');

    expect(answer).toMatchObject({ statusCode: 200 });
    expect(shop.operations).toEqual(['BatchGetItem', 'TransactWriteItems']);
    const row = await rowOf(table, `ORDER#${order.outTradeNo}`, 'REFUND#refund-0001');
    expect(row).toMatchObject({ status: { S: 'SUCCESS' } });
    expect(carriedIn(row)).toMatchObject({
      ...KEPT,
      kind: 'refund',
      decision: 'apply',
      from: 'PENDING',
      to: 'SUCCESS',
      answer: 200,
    });
  });

  test('that contradicts a refund is kept beside that, with the refusal', async () => {
    const table = await emptyTable();
    await givePaidOrder(table);
    const turns = { nowEpochSeconds: CREATED_AT, order: false, probe: false };
    await reserveRefund(table, sampleRefund({ refundFen: 900 }), turns, undefined);
    const v3 = v3Double({}, { merchant: secretVersions(v3Merchant()) }).wechatPay;
    const shop = await openNotifiedShop(table, { order: 'none', v3 });
    const { headers, body } = refunded;
    const answer = await shop.deliver(body.toString(), headers, false, '/notify/v3');

    expect(answer).toMatchObject({ statusCode: 409 });
    const row = await rowOf(table, 'ORDER#order-0001', 'REFUND#refund-0001');
    expect(row).toMatchObject({ status: { S: 'PENDING' } });
    expect(carriedIn(row)).toMatchObject({ ...KEPT, decision: 'mismatch', answer: 409 });
    expect(factsIn(row).at(-1)).toMatchObject({
      type: 'MISMATCH',
      field: 'refundFen',
      expected: '900',
      observed: '800',
    });
  });

  test.each(['', 'has a space', 'x'.repeat(65), 7, null])(
    'without a usable name (%j) is named by its bytes',
    async (id) => {
      const shop = await openV3();
      await shop.notify(v3Notification({ envelope: { id } }));

      expect(carriedIn(await shop.row())?.['id']).toMatch(/^[0-9a-f]{32}$/);
    },
  );
});
