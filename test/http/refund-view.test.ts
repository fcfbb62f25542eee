import { expect, test } from 'vitest';
import { presentRefund } from '../../lib/http/refund-view.ts';
import { ASKED_AT, sampleRefund } from '../support/sample-refunds.ts';

test('a refund is seen without anything that does not apply', () => {
  expect(JSON.parse(JSON.stringify(presentRefund(sampleRefund())))).toEqual({
    outTradeNo: 'order-0001',
    outRefundNo: 'refund-0001',
    refundFen: 800,
    status: 'PENDING',
    createdAt: '2026-03-01T02:02:00Z',
    source: 'API',
  });
});

test('a refund is seen with all that is known, and nothing of how it is kept', () => {
  const goods = [{ merchantGoodsId: 'a', unitPriceFen: 1, refundFen: 1, quantity: 1 }];
  const seen = presentRefund(
    sampleRefund({
      status: 'SUCCESS',
      reason: '少发',
      goods,
      refundId: '5000',
      waitingFor: 'BALANCE',
      failure: { code: 'NOTENOUGH', message: '余额不足' },
      acceptedAtEpochSeconds: ASKED_AT + 1,
      succeededAtEpochSeconds: ASKED_AT + 2,
      userReceivedAccount: '支付用户零钱',
      requestedBy: 'arn:aws:iam::123456789012:user/shop',
      abnormalEnd: {
        to: 'OTHERWISE',
        round: 1,
        note: '现金退还',
        decidedAtEpochSeconds: ASKED_AT + 3,
        keyDigest: 'd',
        fingerprint: 'e',
      },
    }),
  );

  expect(seen).toEqual({
    outTradeNo: 'order-0001',
    outRefundNo: 'refund-0001',
    refundFen: 800,
    status: 'SUCCESS',
    waitingFor: 'BALANCE',
    failure: { code: 'NOTENOUGH', message: '余额不足' },
    reason: '少发',
    goods,
    refundId: '5000',
    createdAt: '2026-03-01T02:02:00Z',
    acceptedAt: '2026-03-01T02:02:01Z',
    succeededAt: '2026-03-01T02:02:02Z',
    userReceivedAccount: '支付用户零钱',
    source: 'API',
    abnormalEnd: { to: 'OTHERWISE', note: '现金退还', decidedAt: '2026-03-01T02:02:03Z' },
  });
});
