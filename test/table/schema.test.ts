import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  buyerKeys,
  idempotencyKey,
  openKeys,
  orderIdOf,
  orderKey,
  paymentDayKeys,
  productKey,
  TABLE_DEFINITION,
} from '../../lib/table/schema.ts';
import { orderId } from '../support/sample-orders.ts';

describe('the key of a row', () => {
  test('of the first merchant has no merchant in it', () => {
    expect(orderKey(orderId())).toEqual({ PK: 'ORDER#order-0001', SK: 'ORDER' });
    expect(idempotencyKey(orderId())).toEqual({
      PK: 'IDEMPOTENCY#order-0001',
      SK: 'IDEMPOTENCY',
    });
    expect(productKey('latte')).toEqual({ PK: 'PRODUCT#latte', SK: 'PRODUCT' });
  });

  test('of another merchant names it before the number', () => {
    const id = { merchantKey: 'tea', outTradeNo: 'order-0001' };

    expect(orderKey(id)).toEqual({ PK: 'ORDER#tea#order-0001', SK: 'ORDER' });
    expect(idempotencyKey(id)).toEqual({ PK: 'IDEMPOTENCY#tea#order-0001', SK: 'IDEMPOTENCY' });
  });

  test('gives back the order that it is of', () => {
    const ids = fc.record({
      merchantKey: fc.oneof(fc.constant(''), fc.stringMatching(/^[a-z0-9]{3,16}$/)),
      outTradeNo: fc.stringMatching(/^[0-9A-Za-z_-]{6,32}$/),
    });
    fc.assert(
      fc.property(ids, (id) => {
        expect(orderIdOf(orderKey(id))).toEqual(id);
      }),
    );
  });

  test.each([
    ['ORDER#order-0001', 'REFUND#refund-0001'],
    ['ORDER#order-0001', 'SHIPPING#order-0001'],
    ['PRODUCT#latte', 'PRODUCT'],
    ['PRODUCT#ORDER#latte', 'ORDER'],
    ['ORDER#', 'ORDER'],
    ['ORDER#tea#', 'ORDER'],
    ['ORDER##order-0001', 'ORDER'],
    ['ORDER#TEA#order-0001', 'ORDER'],
    ['ORDER#te#order-0001', 'ORDER'],
    ['ORDER#tea#two#order-0001', 'ORDER'],
    ['IDEMPOTENCY#order-0001', 'IDEMPOTENCY'],
  ])('%s, %s is of no order', (PK, SK) => {
    expect(orderIdOf({ PK, SK })).toBeUndefined();
  });
});

describe('the place in an index', () => {
  const tea = { merchantKey: 'tea', outTradeNo: 'order-0001' };

  // 32-bit FNV-1a of `order-0001` is 0x0068ea81: shard 01 of 16.
  test('of open work is a shard of the number, by when it is due', () => {
    const place = { GSI1PK: 'OPEN#01', GSI1SK: '2026-03-01T02:01:00Z' };

    expect(openKeys(orderId(), 'later', '2026-03-01T02:01:00Z')).toEqual(place);
    expect(openKeys(tea, 'later', '2026-03-01T02:01:00Z')).toEqual(place);
  });

  test.each([
    ['asked', 'OPEN#ASKED#01'],
    ['first', 'OPEN#FIRST#01'],
    ['refund', 'OPEN#REFUND#01'],
  ] as const)('of open work that is %s is beside it, in %s', (workClass, GSI1PK) => {
    const GSI1SK = '2026-03-01T02:01:00Z';

    expect(openKeys(orderId(), workClass, GSI1SK)).toEqual({ GSI1PK, GSI1SK });
  });

  test('of a payment is a shard of its day, by when it was paid', () => {
    const place = { GSI3PK: 'PAID#2026-03-01#01', GSI3SK: '2026-03-01T02:00:40Z' };

    expect(paymentDayKeys(orderId(), '2026-03-01', '2026-03-01T02:00:40Z')).toEqual(place);
    expect(paymentDayKeys(tea, '2026-03-01', '2026-03-01T02:00:40Z')).toEqual(place);
  });

  test('of a buyer is their openid under its appid, by when the order was made', () => {
    expect(
      buyerKeys({ appid: 'wx1', openid: 'o2', outTradeNo: 'order-0001' }, '2026-03-01T02:00:00Z'),
    ).toEqual({ GSI2PK: 'BUYER#wx1#o2', GSI2SK: '2026-03-01T02:00:00Z#order-0001' });
  });
});

test('no index projects more attributes than DynamoDB takes: 20 each, 100 together', () => {
  const counts = TABLE_DEFINITION.GlobalSecondaryIndexes.map(({ Projection }) =>
    'NonKeyAttributes' in Projection ? (Projection.NonKeyAttributes?.length ?? 0) : 0,
  );

  expect(counts).toEqual([0, 10, 16]);
});
