import { describe, expect, test } from 'vitest';
import { presentOrder } from '../../lib/http/order-view.ts';
import { CREATED_AT, sampleOrder } from '../support/sample-orders.ts';

const unpaid = {
  outTradeNo: 'order-0001',
  tradeState: 'NOTPAY',
  totalFen: 2800,
  description: '拿铁',
  createdAt: '2026-03-01T02:00:00Z',
  expiresAt: '2026-03-01T02:30:00Z',
};

test('an order is shown without what its buyer need not know', () => {
  expect(presentOrder(sampleOrder())).toEqual(unpaid);
});

test('an order that its buyer gave up is closing, until it has ended', () => {
  const closing = { closingAtEpochSeconds: CREATED_AT + 20 };

  expect(presentOrder(sampleOrder(closing))).toEqual({ ...unpaid, closing: true });
  for (const tradeState of ['CLOSED', 'SUCCESS', 'REFUND'] as const) {
    expect(presentOrder(sampleOrder({ ...closing, tradeState }))).toEqual({
      ...unpaid,
      tradeState,
    });
  }
});

test('a paid order says when it was paid, and by which transaction', () => {
  const order = sampleOrder({
    tradeState: 'SUCCESS',
    paidAtEpochSeconds: CREATED_AT + 40,
    transactionId: '4200000001202603010000000001',
  });

  expect(presentOrder(order)).toEqual({
    ...unpaid,
    tradeState: 'SUCCESS',
    paidAt: '2026-03-01T02:00:40Z',
    transactionId: '4200000001202603010000000001',
  });
});

describe('an order of which money was given back', () => {
  const paid = {
    tradeState: 'SUCCESS',
    paidAtEpochSeconds: CREATED_AT + 40,
    transactionId: '4200000001202603010000000001',
  } as const;
  const refundedFen = (refundableFen: number | undefined) =>
    (presentOrder(sampleOrder({ ...paid, refundableFen })) as Record<string, unknown>)[
      'refundedFen'
    ];

  test('says how much is on its way or arrived', () => {
    expect(refundedFen(2000)).toBe(800);
    expect(refundedFen(0)).toBe(2800);
  });

  test('says no more than was paid, also when WeChat proved more', () => {
    expect(refundedFen(-100)).toBe(2800);
  });

  test('says nothing where nothing was given back', () => {
    expect(refundedFen(2800)).toBeUndefined();
    expect(refundedFen(undefined)).toBeUndefined();
  });
});
