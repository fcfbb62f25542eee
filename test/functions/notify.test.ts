import { describe, expect, test } from 'vitest';
import { notificationHandler } from '../../lib/http/notification-handler.ts';
import { ConfigError } from '../../lib/errors.ts';
import { orderToItem } from '../../lib/table/order-row.ts';
import { apiEvent, recordedFunction, REQUEST_ID } from '../support/api-event.ts';
import { allRows, putRow, type Row, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { carriedIn } from '../support/facts-of.ts';
import { openNotifiedShop, RECEIVED, refusedWith } from '../support/notified-shop.ts';
import { CREATED_AT, sampleOrder } from '../support/sample-orders.ts';
import { merchantWith } from '../support/secret-versions.ts';
import { API_V2_KEY, notificationXml, OTHER_KEY, paidFields } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();
const openShop = async (setting?: Parameters<typeof openNotifiedShop>[1]) =>
  openNotifiedShop(await emptyTable(), setting);

const PAID = {
  tradeState: { S: 'SUCCESS' },
  transactionId: { S: '4200000001202603010000000001' },
  paidAt: { S: '2026-03-01T02:00:40Z' },
  bankType: { S: 'OTHERS' },
  totalFen: { N: '2800' },
};
const UNPAID = { tradeState: { S: 'NOTPAY' }, GSI1PK: expect.anything() };

describe('a notification that comes to', () => {
  const paths = [
    ['/notify/v2/payment', 'order-0001'],
    ['/notify/tea/v2/payment', 'tea#order-0001'],
    ['/notify/tea/v2/refund', 'tea#order-0001'],
  ] as const;

  test.each(paths)('%s is about the order of that merchant', async (path, name) => {
    const shop = await openShop({ order: { merchantKey: name === 'order-0001' ? '' : 'tea' } });

    const { returned } = await shop.deliver(notificationXml(), {}, false, path);

    expect(returned).toEqual(RECEIVED);
    expect(await shop.row(name)).toMatchObject(PAID);
  });

  test("another merchant's address leaves the order of the first alone", async () => {
    const shop = await openShop();

    const { statusCode } = await shop.deliver(
      notificationXml(),
      {},
      false,
      '/notify/tea/v2/payment',
    );

    expect(statusCode).toBe(404);
    expect(await shop.row()).toMatchObject(UNPAID);
  });

  test('an address that no order names is refused before anything is read', async () => {
    const shop = await openShop();

    const answer = await shop.deliver(notificationXml(), {}, false, '/notify/v2/payment/more');

    expect(answer).toMatchObject({ statusCode: 404, returned: refusedWith('ROUTE_NOT_FOUND') });
    expect(shop.operations).toEqual([]);
    expect(await shop.row()).toMatchObject(UNPAID);
    expect(shop.log.messages('warn')).toEqual([
      'a notification came to an address that no order names',
    ]);
  });
});

describe('a genuine notification', () => {
  test('makes the order paid with one write and is acknowledged word for word', async () => {
    const shop = await openShop();

    const answer = await shop.deliver(notificationXml());

    expect(answer).toMatchObject({
      statusCode: 200,
      headers: { 'content-type': 'text/xml; charset=utf-8', 'x-request-id': REQUEST_ID },
      body: '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>',
    });
    expect(shop.operations).toEqual(['UpdateItem']);
    const row = await shop.row();
    expect(row).toMatchObject(PAID);
    expect(row).not.toHaveProperty('GSI1PK');
    expect(shop.log.counts).toEqual({ OrderPaid: 1 });
    expect(shop.log.messages('info')).toEqual(['order changed']);
    expect(shop.flushes()).toBe(1);
  });

  test.each<[string, Readonly<Record<string, string>>, boolean]>([
    ['without any header', {}, false],
    ['as base64', { 'content-type': 'application/octet-stream' }, true],
    ['as base64 without a Content-Type', {}, true],
    ['with headers in mixed case', { 'CONTENT-type': 'TEXT/XML', 'X-Forwarded-FOR': '::1' }, false],
    ['with a Content-Type that is wrong', { 'content-type': 'application/json' }, false],
    ['with a charset that is wrong', { 'content-type': 'text/html; charset=gbk' }, false],
  ])('counts %s', async (_, headers, isBase64Encoded) => {
    const shop = await openShop();
    const xml = notificationXml({ attach: '五号桌' });
    const body = isBase64Encoded ? Buffer.from(xml).toString('base64') : xml;

    const { returned } = await shop.deliver(body, headers, isBase64Encoded);

    expect(returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject(PAID);
  });

  test('counts with fields that nobody has heard of, as long as they are signed', async () => {
    const shop = await openShop();

    const { returned } = await shop.deliver(notificationXml({ coupon_fee_0: '1', new_field: 'x' }));

    expect(returned).toEqual(RECEIVED);
  });

  test('counts when it is signed with the key before the current one', async () => {
    const shop = await openShop({ merchant: [merchantWith(OTHER_KEY), merchantWith(API_V2_KEY)] });

    expect((await shop.deliver(notificationXml())).returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject(PAID);
  });

  test('counts under MD5 in a deployment that agreed on MD5', async () => {
    const shop = await openShop({ signType: 'MD5' });

    const { returned } = await shop.deliver(notificationXml({}, API_V2_KEY, 'MD5'));

    expect(returned).toEqual(RECEIVED);
  });

  test('for a closed order records the money and raises its alarm', async () => {
    const shop = await openShop({ order: { tradeState: 'CLOSED' } });

    const { returned } = await shop.deliver(notificationXml());

    expect(returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject({ ...PAID, paidAfterClose: { BOOL: true } });
    expect(await shop.alarms()).toEqual({ PaymentAfterClose: 1 });
    expect(shop.log.messages('warn')).toHaveLength(1);
  });

  test('logs numbers and states, not the buyer, the key or the message', async () => {
    const shop = await openShop();
    await shop.deliver(notificationXml());

    expect(shop.log.lines).toEqual([
      {
        level: 'info',
        message: 'order changed',
        fields: expect.objectContaining({
          outTradeNo: 'order-0001',
          from: 'NOTPAY',
          to: 'SUCCESS',
        }),
      },
    ]);
    for (const hidden of [API_V2_KEY, '<xml>', 'nonce_str', 'oUpF8uMuAJO']) {
      expect(shop.logged()).not.toContain(hidden);
    }
  });
});

describe('a notification about an order as it is not', () => {
  test.each([
    ['a lower amount', { total_fee: '1', cash_fee: '1' }, 'totalFen', '2800', '1'],
    ['a higher amount', { total_fee: '2801' }, 'totalFen', '2800', '2801'],
    ['another currency', { fee_type: 'JPY' }, 'currency', 'CNY', 'JPY'],
    [
      'another appid',
      { appid: 'wx9999999999999999' },
      'appid',
      'wx8888888888888888',
      'wx9999999999999999',
    ],
    ['another buyer', { openid: 'oOther' }, 'openid', 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o', 'oOther'],
    ['no time', { time_end: '20260231000000' }, 'paidAtEpochSeconds', 'a time', 'not a time'],
    [
      'a time two days before',
      { time_end: '20260227100000' },
      'paidAtEpochSeconds',
      String(CREATED_AT),
      String(CREATED_AT - 2 * 86_400),
    ],
  ])(
    '%s is refused, recorded and raises the alarm',
    async (_, change, field, expected, observed) => {
      const shop = await openShop();

      const { statusCode, returned } = await shop.deliver(notificationXml(change));

      expect(statusCode).toBe(409);
      expect(returned).toEqual(refusedWith('TRANSACTION_MISMATCH'));
      const row = await shop.row();
      expect(row).toMatchObject(UNPAID);
      expect(row?.['mismatch']?.M).toMatchObject({
        field: { S: field },
        expected: { S: expected },
        observed: { S: observed },
      });
      expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
      expect(await shop.alarms()).toEqual({ TransactionMismatch: 1 });
      expect(shop.log.messages('error')).toHaveLength(1);
    },
  );

  test('a second transaction for a paid order is refused; the first stays', async () => {
    const shop = await openShop();
    await shop.deliver(notificationXml());

    const { statusCode, returned } = await shop.deliver(
      notificationXml({ transaction_id: '4200000001202603010000000002' }),
    );

    expect(statusCode).toBe(409);
    expect(returned).toEqual(refusedWith('TRANSACTION_MISMATCH'));
    expect(await shop.row()).toMatchObject(PAID);
    expect(shop.log.counts).toEqual({ NotificationRefused: 1, OrderPaid: 1 });
    expect(await shop.alarms()).toEqual({ TransactionMismatch: 1 });
  });

  test('an order that is not in the table is answered so that WeChat repeats it', async () => {
    const shop = await openShop({ order: 'none' });

    const { statusCode, returned } = await shop.deliver(notificationXml());

    expect(statusCode).toBe(404);
    expect(returned).toEqual(refusedWith('ORDER_NOT_FOUND'));
    expect(await shop.row()).toBeUndefined();
    expect(shop.log.counts).toEqual({ NotificationRefused: 1, UnknownOrderNotified: 1 });
  });
});

describe('what WeChat sent', () => {
  const UNKNOWN = 'UNKNOWN#4200000001202603010000000001';
  const KEPT = { apiVersion: 'v2', kind: 'payment', receivedAt: '2026-03-01T02:01:00.000Z' };
  const openOn = async (setting?: Parameters<typeof openNotifiedShop>[1]) => {
    const table = await emptyTable();
    return { table, shop: await openNotifiedShop(table, setting) };
  };
  /** Everything that the message says, but for what proves it and what makes it unlike others. */
  const said = (changes = {}) => {
    const { nonce_str: _, ...fields } = paidFields(changes);
    return fields;
  };

  test('and what was said to it is kept by the one write that makes the order paid', async () => {
    const shop = await openShop();
    await shop.deliver(notificationXml());

    expect(shop.operations).toEqual(['UpdateItem']);
    const { message, ...carried } = carriedIn(await shop.row()) ?? {};
    expect(carried).toMatchObject({ ...KEPT, from: 'NOTPAY', to: 'SUCCESS', answer: 200 });
    expect(carried['key']).toBe(`${KEPT.receivedAt}#${String(carried['id'])}`);
    expect(JSON.parse(String(message))).toEqual(said());
  });

  test('again changes nothing and is a line of the log', async () => {
    const shop = await openShop();
    await shop.deliver(notificationXml());
    const before = await shop.row();
    await shop.deliver(notificationXml({ attach: 'again' }));

    expect(await shop.row()).toEqual(before);
    expect(shop.log.messages('info').at(-1)).toBe('nothing new about the order');
  });

  test('in contradiction is kept beside the order, with the refusal', async () => {
    const shop = await openShop();
    await shop.deliver(notificationXml({ total_fee: '1' }));

    const { message, ...carried } = carriedIn(await shop.row()) ?? {};
    expect(carried).toMatchObject({ ...KEPT, decision: 'mismatch', answer: 409 });
    expect(JSON.parse(String(message))).toEqual(said({ total_fee: '1' }));
  });

  test('of an order that is not here leaves a row of its own, once', async () => {
    const { table, shop } = await openOn({ order: 'none' });
    await shop.deliver(notificationXml());
    const before = await rowOf(table, UNKNOWN, 'UNKNOWN');
    await shop.deliver(notificationXml({ attach: 'again' }));

    expect(shop.operations).toEqual(['UpdateItem', 'UpdateItem', 'UpdateItem', 'UpdateItem']);
    expect(before).toMatchObject({ outTradeNo: { S: 'order-0001' }, totalFen: { N: '2800' } });
    expect(carriedIn(before)).toMatchObject({ ...KEPT, decision: 'unknown-order', answer: 404 });
    expect(await allRows(table)).toEqual([before]);
    expect(shop.log.counts).toEqual({ NotificationRefused: 2, UnknownOrderNotified: 2 });
  });

  test('of an order of another merchant that is not here names that one', async () => {
    const { table, shop } = await openOn({ order: 'none' });
    await shop.deliver(notificationXml(), {}, false, '/notify/tea/v2/payment');

    expect(await rowOf(table, UNKNOWN, 'UNKNOWN')).toMatchObject({ merchantKey: { S: 'tea' } });
  });

  test('without being believed leaves no row at all', async () => {
    const { table, shop } = await openOn({ order: 'none' });
    await shop.deliver(notificationXml({}, OTHER_KEY));

    expect(await allRows(table)).toEqual([]);
  });
});

describe('a notification that cannot be believed', () => {
  test('is answered 401 and touches no table', async () => {
    const shop = await openShop();

    const { statusCode, returned } = await shop.deliver(notificationXml({}, OTHER_KEY));

    expect(statusCode).toBe(401);
    expect(returned).toEqual(refusedWith('SIGNATURE_INVALID'));
    expect(shop.operations).toEqual([]);
    expect(await shop.row()).toMatchObject(UNPAID);
    expect(shop.log.counts).toEqual({ NotificationRefused: 1, SignatureRejected: 1 });
    expect(shop.log.lines).toEqual([
      {
        level: 'warn',
        message: 'notification refused',
        fields: expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
      },
    ]);
  });

  test('leaves nothing of itself in the log', async () => {
    const shop = await openShop();
    await shop.deliver(notificationXml({ attach: 's3cret', out_trade_no: 's3cret-1' }, OTHER_KEY));

    expect(shop.logged()).not.toContain('s3cret');
    expect(shop.logged()).not.toContain(API_V2_KEY);
    expect(shop.logged()).not.toContain('key=');
  });

  test.each([
    ['no XML', 'hello s3cret'],
    ['JSON', '{"return_code":"s3cret"}'],
    ['nothing', undefined],
    ['a notification that was cut off', notificationXml({ attach: 's3cret' }).slice(0, 300)],
    ['a signed report of a failure', notificationXml({ result_code: 'FAIL', attach: 's3cret' })],
  ])('as %s is answered 400 and touches no table', async (_, body) => {
    const shop = await openShop();

    const { statusCode, returned } = await shop.deliver(body);

    expect(statusCode).toBe(400);
    expect(returned).toEqual(refusedWith('MALFORMED_MESSAGE'));
    expect(shop.operations).toEqual([]);
    expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
    expect(shop.log.messages('warn')).toEqual(['notification refused']);
    expect(shop.logged()).not.toContain('s3cret');
  });
});

describe('a notification that cannot be recorded', () => {
  test('is answered 500 so that WeChat repeats it, and the repeat is recorded', async () => {
    let broken = true;
    const shop = await openShop({
      answer: async ({ send }) => {
        if (broken) {
          throw new Error('the table is away');
        }
        return send();
      },
    });

    const { statusCode, returned } = await shop.deliver(notificationXml());
    broken = false;
    const again = await shop.deliver(notificationXml());

    expect(statusCode).toBe(500);
    expect(returned).toEqual(refusedWith('INTERNAL_ERROR'));
    expect(shop.log.messages('error')).toEqual([
      'notification not processed; WeChat sends it again',
    ]);
    expect(again.returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject(PAID);
  });

  test('although it was, because the answer of the table was lost, is a duplicate when it is repeated', async () => {
    let lost = true;
    const shop = await openShop({
      answer: async ({ send }) => {
        const answer = await send();
        if (!lost) {
          return answer;
        }
        lost = false;
        throw new Error('the answer was lost');
      },
    });

    expect((await shop.deliver(notificationXml())).statusCode).toBe(500);
    expect((await shop.deliver(notificationXml())).returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject(PAID);
  });

  test('for a mistake of the deployment raises the metric of that', async () => {
    const recorded = recordedFunction();
    const handler = notificationHandler(
      async () => ({ kind: 'duplicate' }),
      () => {
        throw new ConfigError('the environment variable TABLE_NAME is not set');
      },
      recorded,
    );

    const event = { ...apiEvent({ body: notificationXml() }), rawPath: '/notify/v2/payment' };
    const answer = await handler(event, { awsRequestId: 'l' });

    expect(answer.statusCode).toBe(500);
    expect(answer.body).toContain('<![CDATA[FAIL]]>');
    expect(answer.body).toContain('CONFIG_ERROR');
    expect(answer.body).not.toContain('TABLE_NAME');
    expect(recorded.log.counts).toEqual({ NotificationRefused: 1, ConfigError: 1 });
    expect(recorded.flushes()).toBe(1);
  });

  test('without an id of the gateway carries that of Lambda', async () => {
    const handler = notificationHandler(
      async () => ({ kind: 'stale' }),
      () => ({}),
      recordedFunction(),
    );

    const event = { ...apiEvent(), rawPath: '/notify/v2/payment', requestContext: undefined };
    const answer = await handler(event as never, { awsRequestId: 'lambda-0001' });

    expect(answer).toMatchObject({ statusCode: 409, headers: { 'x-request-id': 'lambda-0001' } });
  });
});

describe('a notification about an order whose row is damaged', () => {
  const shopWith = async (bad: Row) => {
    const table = await emptyTable();
    const item = { ...orderToItem(sampleOrder()), ...bad };
    await putRow(table, item);
    return { item, shop: await openNotifiedShop(table, { order: 'none' }) };
  };

  test.each<[string, Row]>([
    ['tradeState', { tradeState: { S: 'PAYING' } }],
    ['totalFen', { totalFen: { S: '2800' } }],
    ['openid', { openid: { NULL: true } }],
    ['subMchid', { subMchid: { N: '1' } }],
  ])(
    'in its %s, which decides, is repeated by WeChat, rings and changes nothing',
    async (attribute, bad) => {
      const { item, shop } = await shopWith(bad);
      const answer = await shop.deliver(notificationXml());

      expect(answer).toMatchObject({ statusCode: 500, returned: refusedWith('ORDER_UNREADABLE') });
      expect(shop.log.counts).toEqual({ NotificationRefused: 1, OrderUnreadable: 1 });
      expect(shop.log.lines).toMatchObject([
        { level: 'error', fields: { row: 'ORDER#order-0001 ORDER', attribute } },
      ]);
      expect(await shop.row()).toEqual(item);
    },
  );

  test.each<[string, Row]>([
    ['an open one', {}],
    ['a closed one', { tradeState: { S: 'CLOSED' } }],
  ])('in what does not decide is recorded all the same, also for %s', async (_, state) => {
    const damage = {
      apiVersion: { S: 'v4' },
      prepayRequest: { NULL: true },
      description: { N: '1' },
      createdAt: { S: '' },
    } as const;
    const { shop } = await shopWith({ ...damage, ...state });

    expect((await shop.deliver(notificationXml())).returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject({ ...PAID, ...damage });
    expect((await shop.deliver(notificationXml())).returned).toEqual(RECEIVED);
    expect(shop.log.counts).not.toHaveProperty('OrderUnreadable');
  });
});
