import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { readRow } from '../../lib/table/attributes.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { orderFromItem, orderToItem } from '../../lib/table/order-row.ts';
import { claimCheck } from '../../lib/table/due.ts';
import { recordMismatch } from '../../lib/table/mismatches.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, sampleOrder, samplePayment, orderId } from '../support/sample-orders.ts';
import { thrownBy } from '../support/thrown.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const order = sampleOrder({
  attach: '桌号 12',
  items: [{ sku: 'latte', quantity: 1, unitFen: 2800 }],
});

describe('the row of an order', () => {
  const created = {
    PK: { S: 'ORDER#order-0001' },
    SK: { S: 'ORDER' },
    GSI2PK: { S: 'BUYER#wx8888888888888888#oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
    GSI2SK: { S: '2026-03-01T02:00:00Z#order-0001' },
    outTradeNo: { S: 'order-0001' },
    openid: { S: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
    appid: { S: 'wx8888888888888888' },
    mchid: { S: '1900000109' },
    totalFen: { N: '2800' },
    currency: { S: 'CNY' },
    description: { S: '拿铁' },
    attach: { S: '桌号 12' },
    items: {
      L: [{ M: { sku: { S: 'latte' }, quantity: { N: '1' }, unitFen: { N: '2800' } } }],
    },
    createdAt: { S: '2026-03-01T02:00:00Z' },
    expiresAt: { S: '2026-03-01T02:30:00Z' },
    fingerprint: { S: 'f'.repeat(64) },
    apiVersion: { S: 'v2' },
    prepayRequest: {
      M: {
        appid: { S: 'wx8888888888888888' },
        mch_id: { S: '1900000109' },
        out_trade_no: { S: 'order-0001' },
        total_fee: { S: '2800' },
      },
    },
    checks: { N: '0' },
  };

  test('is readable as it stands, with times in ISO 8601 and its place in the index', async () => {
    await createOrder(table, order);

    expect(await rowOf(table, 'ORDER#order-0001')).toEqual({
      ...created,
      // 32-bit FNV-1a of `order-0001` is 0x0068ea81: shard 01 of 16.
      GSI1PK: { S: 'OPEN#FIRST#01' },
      GSI1SK: { S: '2026-03-01T02:01:00Z' },
      tradeState: { S: 'NOTPAY' },
    });
  });

  test('says, once paid, by which transaction and when, and has left the index', async () => {
    await createOrder(table, order);
    expect(await claimCheck(table, orderId(order.outTradeNo), CREATED_AT + 30, 3)).toBe('claimed');
    await applyEvidence(
      table,
      orderId(order.outTradeNo),
      { kind: 'paid', refunded: false, payment: samplePayment() },
      CREATED_AT + 41,
    );

    expect(await rowOf(table, 'ORDER#order-0001')).toEqual({
      ...created,
      GSI3PK: { S: 'PAID#2026-03-01#01' },
      GSI3SK: { S: '2026-03-01T02:00:40Z' },
      tradeState: { S: 'SUCCESS' },
      transactionId: { S: '4200000001202603010000000001' },
      paidAt: { S: '2026-03-01T02:00:40Z' },
      bankType: { S: 'OTHERS' },
      refundableFen: { N: '2800' },
      checkedAt: { S: '2026-03-01T02:00:30Z' },
      updatedAt: { S: '2026-03-01T02:00:41Z' },
      writeId: { S: expect.stringMatching(/^[0-9a-f]{32}$/) },
      facts: {
        L: [
          {
            M: {
              type: { S: 'PAID' },
              at: { S: '2026-03-01T02:00:41Z' },
              tradeState: { S: 'SUCCESS' },
            },
          },
        ],
      },
      factCount: { N: '1' },
    });
  });

  test('says what contradicted it, beside what it was', async () => {
    await createOrder(table, order);
    const before = await rowOf(table, 'ORDER#order-0001');
    await recordMismatch(
      table,
      orderId(),
      samplePayment({ totalFen: 1 }),
      { field: 'totalFen', expected: 2800, observed: 1 },
      { nowEpochSeconds: CREATED_AT + 41 },
    );
    const contradiction = {
      field: { S: 'totalFen' },
      expected: { S: '2800' },
      observed: { S: '1' },
      transactionId: { S: '4200000001202603010000000001' },
      totalFen: { N: '1' },
    };
    const at = { S: '2026-03-01T02:00:41Z' };
    // SHA-256 of `["totalFen","1","4200000001202603010000000001",1]`, its first half.
    const digest = 'd2a48e4757a94e1616d4042c25b30f85';

    expect(await rowOf(table, 'ORDER#order-0001')).toEqual({
      ...before,
      mismatch: { M: { at, ...contradiction } },
      facts: {
        L: [{ M: { type: { S: 'MISMATCH' }, at, digest: { S: digest }, ...contradiction } }],
      },
      factCount: { N: '1' },
      mismatchDigests: { SS: [digest] },
    });
  });

  test('gives back the order that was written, read as it is now and not as it was', async () => {
    await createOrder(table, order);
    const inputs: unknown[] = [];
    const watched = watchTable(table, ({ input, send }) => {
      inputs.push(input);
      return send();
    });

    expect(await readOrder(watched, orderId('order-0001'))).toEqual(order);
    expect(inputs).toMatchObject([{ ConsistentRead: true }]);
  });

  test('gives back an order without attach, items and a next check', async () => {
    const bare = sampleOrder({ outTradeNo: 'bare-0001', nextCheckAtEpochSeconds: undefined });
    await createOrder(table, bare);

    expect(await readOrder(table, orderId('bare-0001'))).toEqual(bare);
    expect(await rowOf(table, 'ORDER#bare-0001')).not.toHaveProperty('GSI1PK');
  });

  test('gives back the kinds of what was bought', async () => {
    const service = { sku: 'deposit', quantity: 1, unitFen: 5000, kind: 'service' } as const;
    const items = [...(order.items ?? []), service];
    const bought = sampleOrder({ items, kind: 'virtual' });
    await createOrder(table, bought);

    expect(await readOrder(table, orderId('order-0001'))).toEqual(bought);
    expect(await rowOf(table, 'ORDER#order-0001')).toMatchObject({
      kind: { S: 'virtual' },
      items: { L: [{ M: { sku: { S: 'latte' } } }, { M: { kind: { S: 'service' } } }] },
    });
  });

  test('says that its money waits to be shared, where it does', async () => {
    const shared = sampleOrder({ profitSharing: true });
    await createOrder(table, shared);

    expect((await rowOf(table, 'ORDER#order-0001'))?.['profitSharing']).toEqual({ BOOL: true });
    expect(await readOrder(table, orderId())).toEqual(shared);
    expect(orderToItem(sampleOrder({ profitSharing: false }))).not.toHaveProperty('profitSharing');
  });

  test('gives back what was paid, checked and refunded', async () => {
    await putRow(table, {
      ...created,
      tradeState: { S: 'REFUND' },
      checks: { N: '3' },
      checkedAt: { S: '2026-03-01T02:09:00Z' },
      paidAt: { S: '2026-03-01T02:00:40Z' },
      transactionId: { S: '4200000001202603010000000001' },
      paidAfterClose: { BOOL: true },
    });

    expect(await readOrder(table, orderId('order-0001'))).toEqual({
      ...order,
      tradeState: 'REFUND',
      nextCheckAtEpochSeconds: undefined,
      checks: 3,
      checkedAtEpochSeconds: CREATED_AT + 540,
      paidAtEpochSeconds: CREATED_AT + 40,
      transactionId: '4200000001202603010000000001',
      paidAfterClose: true,
    });
  });

  test('that is not there gives no order', async () => {
    expect(await readOrder(table, orderId('order-0001'))).toBeUndefined();
  });

  const without = (name: string) =>
    Object.fromEntries(Object.entries(orderToItem(order)).filter(([each]) => each !== name));
  const requestV3 = { path: { S: '/v3/pay/transactions/jsapi' }, body: { S: '{}' } };

  test.each(
    [
      'tradeState',
      'openid',
      'appid',
      'mchid',
      'totalFen',
      'currency',
      'description',
      'createdAt',
      'expiresAt',
      'fingerprint',
      'apiVersion',
      'prepayRequest',
      'checks',
    ].map((name) => [name]),
  )('without %s cannot be read: nothing is guessed', (name) => {
    expect(thrownBy(() => orderFromItem(without(name)))).toMatchObject({
      name: 'UnreadableRowError',
      code: 'ORDER_UNREADABLE',
      retryable: false,
      parameters: { row: 'ORDER#order-0001 ORDER', attribute: name },
    });
  });

  test.each<[string, AttributeValue, string?]>([
    ['tradeState', { S: 'PAYING' }],
    ['tradeState', { S: '' }],
    ['tradeState', { NULL: true }],
    ['totalFen', { S: '2800' }],
    ['totalFen', { N: '28.5' }],
    ['totalFen', { N: '-1' }],
    ['totalFen', { N: '9007199254740993' }],
    ['currency', { S: 'USD' }],
    ['openid', { N: '1' }],
    ['subMchid', { N: '1900000110' }],
    ['spAppid', { NULL: true }],
    ['transactionId', { N: '42' }],
    ['attach', { L: [] }],
    ['kind', { S: 'digital' }],
    ['kind', { BOOL: true }],
    ['profitSharing', { S: 'true' }],
    ['paidAfterClose', { N: '1' }],
    ['items', { M: {} }],
    ['items', { L: [{ S: 'latte' }] }],
    ['items', { L: [{ M: { quantity: { N: '1' }, unitFen: { N: '1' } } }] }, 'sku'],
    ['items', { L: [{ M: { sku: { S: 'a' }, quantity: { N: '0.5' } } }] }, 'quantity'],
    ['createdAt', { S: 'yesterday' }],
    ['expiresAt', { N: '1772330400' }],
    ['checkedAt', { S: '' }],
    ['checkedAt', { N: '1' }],
    ['paidAt', { S: '2026-13-01T00:00:00Z' }],
    ['GSI1SK', { S: 'never' }],
    ['checks', { N: '-1' }],
    ['apiVersion', { S: 'v4' }],
    ['prepayRequest', { S: '{}' }],
    ['prepayRequest', { M: {} }],
    ['prepayRequest', { M: { total_fee: { N: '2800' } } }],
    ['prepayRequest', { M: requestV3 }],
  ])('whose %s is %j cannot be read', (name, value, attribute = name) => {
    const error = thrownBy(() => orderFromItem({ ...orderToItem(order), [name]: value }));

    expect(error).toMatchObject({
      code: 'ORDER_UNREADABLE',
      parameters: { row: 'ORDER#order-0001 ORDER', attribute },
    });
    expect((error as Error).message).toContain(attribute);
  });

  test('that cannot be read is named without a value of it', () => {
    const row = { ...orderToItem(order), tradeState: { S: 'SECRET' } };

    expect(thrownBy(() => orderFromItem(row))).toMatchObject({
      message:
        'the row ORDER#order-0001 ORDER cannot be read: the attribute tradeState is none of NOTPAY, SUCCESS, REFUND, CLOSED',
    });
  });

  test.each([
    ['a request of API v2', { total_fee: { S: '2800' } }],
    ['no body', { path: { S: '/v3/pay/transactions/jsapi' } }],
    ['no path', { body: { S: '{}' } }],
  ])('of API v3 with %s cannot be read', (_, request) => {
    const row = { ...orderToItem(order), apiVersion: { S: 'v3' }, prepayRequest: { M: request } };

    expect(thrownBy(() => orderFromItem(row))).toMatchObject({
      message: expect.stringContaining('the attribute prepayRequest is not one of API v3'),
    });
  });

  test('of API v3 keeps path and body of its request', () => {
    const prepayRequest = { apiVersion: 'v3', path: '/v3/p', body: '{"a":"拿铁"}' } as const;
    const item = orderToItem(sampleOrder({ apiVersion: 'v3', prepayRequest }));

    expect(item['prepayRequest']).toEqual({
      M: { path: { S: '/v3/p' }, body: { S: '{"a":"拿铁"}' } },
    });
    expect(orderFromItem(item).prepayRequest).toEqual(prepayRequest);
  });

  test.each([
    ['PRODUCT#latte', 'PRODUCT'],
    ['ORDER#order-0001', 'REFUND#refund-0001'],
    ['ORDER#', 'ORDER'],
  ])('of the key %s, %s is no order', (PK, SK) => {
    const row = { ...orderToItem(order), PK: { S: PK }, SK: { S: SK } };

    expect(thrownBy(() => orderFromItem(row))).toMatchObject({
      parameters: { row: `${PK} ${SK}`, attribute: 'PK' },
    });
  });
});

test('numbers of orders spread evenly over the 16 shards of the index', () => {
  const counts = new Map<string, number>();
  for (let count = 0; count < 3200; count += 1) {
    const { GSI1PK } = orderToItem(sampleOrder({ outTradeNo: `shop-${count}` }));
    const shard = String(GSI1PK?.S);
    counts.set(shard, (counts.get(shard) ?? 0) + 1);
  }

  const names = Array.from(
    { length: 16 },
    (_, shard) => `OPEN#FIRST#${String(shard).padStart(2, '0')}`,
  );
  expect([...counts.keys()].toSorted()).toEqual(names);
  for (const count of counts.values()) {
    expect(count).toBeGreaterThan(120);
    expect(count).toBeLessThan(280);
  }
});

test('a fault of ours while a row is read is no damage of the row', () => {
  const fault = new TypeError('undefined is not a function');

  expect(
    thrownBy(() =>
      readRow({}, () => {
        throw fault;
      }),
    ),
  ).toBe(fault);
});
