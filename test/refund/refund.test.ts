import { expect, test } from 'vitest';
import {
  findRefundMismatch,
  type Refund,
  type RefundEvidence,
  type RefundFacts,
} from '../../lib/refund/refund.ts';

const REFUND: RefundFacts = {
  mchid: '1900000109',
  outTradeNo: 'order-0001',
  transactionId: '4200000000202611250000000001',
  outRefundNo: 'refund-0001',
  refundFen: 40,
  totalFen: 100,
  currency: 'CNY',
};

const EVIDENCE: RefundEvidence = {
  ...REFUND,
  refundId: '50000000000000000000000000001',
  status: 'PROCESSING',
};

test('evidence that names what the refund names contradicts nothing', () => {
  expect(findRefundMismatch(REFUND, EVIDENCE)).toBeUndefined();
});

test.each([
  ['mchid', '1900000110'],
  ['outTradeNo', 'order-0002'],
  ['transactionId', '4200000000202611250000000002'],
  ['outRefundNo', 'refund-0002'],
  ['refundFen', 41],
  ['totalFen', 101],
  ['currency', 'HKD'],
] satisfies [keyof RefundFacts, string | number][])(
  'a different %s is found',
  (field, observed) => {
    expect(findRefundMismatch(REFUND, { ...EVIDENCE, [field]: observed })).toEqual({
      field,
      expected: REFUND[field],
      observed,
    });
  },
);

test('a sub-merchant that only one of the two names is found', () => {
  const subMchid = '1900000209';
  const ofSubMerchant: Pick<Refund, keyof RefundFacts> = { ...REFUND, subMchid };

  expect(findRefundMismatch(REFUND, { ...EVIDENCE, subMchid })).toEqual({
    field: 'subMchid',
    expected: '(none)',
    observed: subMchid,
  });
  expect(findRefundMismatch(ofSubMerchant, EVIDENCE)).toEqual({
    field: 'subMchid',
    expected: subMchid,
    observed: '(none)',
  });
});

test('of several contradictions the weightiest is told', () => {
  const other = { ...EVIDENCE, refundFen: 1, mchid: '1900000110' };

  expect(findRefundMismatch(REFUND, other)?.field).toBe('mchid');
});
