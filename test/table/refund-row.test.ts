import { describe, expect, test } from 'vitest';
import { UnreadableRowError } from '../../lib/errors.ts';
import type { Refund } from '../../lib/refund/refund.ts';
import { refundFromItem, refundToItem } from '../../lib/table/refund-row.ts';
import { ASKED_AT, sampleRefund } from '../support/sample-refunds.ts';
import { thrownBy } from '../support/thrown.ts';

/** A refund with everything that one can have. */
const full = (): Refund =>
  sampleRefund({
    merchantKey: 'tea',
    subMchid: '1900000200',
    spAppid: 'wx9999999999999999',
    apiVersion: 'v3',
    refundRequest: { apiVersion: 'v3', path: '/v3/refund/domestic/refunds', body: '{}' },
    reason: '少发一件',
    goods: [
      { merchantGoodsId: 'latte', unitPriceFen: 800, refundFen: 800, quantity: 1 },
      {
        merchantGoodsId: 'bun',
        wechatpayGoodsId: '1001',
        goodsName: '包子',
        unitPriceFen: 1,
        refundFen: 1,
        quantity: 1,
      },
    ],
    requestedBy: 'arn:aws:iam::123456789012:user/shop',
    status: 'ABNORMAL',
    round: 2,
    waitingFor: 'CONFIG',
    failure: { code: 'NOAUTH', message: '没有权限' },
    refundId: '50000000382026030100000000001',
    sentAtEpochSeconds: ASKED_AT + 1,
    attempts: 3,
    mayHaveReached: true,
    acceptedAtEpochSeconds: ASKED_AT + 2,
    succeededAtEpochSeconds: ASKED_AT + 3,
    userReceivedAccount: '支付用户零钱',
    abnormalEnd: {
      to: 'OTHERWISE',
      round: 2,
      note: '现金退还',
      decidedAtEpochSeconds: ASKED_AT + 4,
      keyDigest: 'd'.repeat(64),
      fingerprint: 'e'.repeat(64),
    },
    checks: 4,
    nextCheckAtEpochSeconds: ASKED_AT + 86_400,
  });

test.each([
  ['that nobody has sent', sampleRefund()],
  ['with everything', full()],
  ['of the console', sampleRefund({ refundRequest: undefined, fingerprint: undefined })],
  [
    'whose end was decided without a note',
    sampleRefund({ abnormalEnd: { ...full().abnormalEnd!, note: undefined } }),
  ],
])('a refund %s is read as it was written', (_, refund) => {
  expect(refundFromItem(refundToItem(refund))).toEqual(refund);
});

test('the row is beside its order’s, among the open work, and since its acceptance among the refunds of that day', () => {
  expect(refundToItem(full())).toMatchObject({
    PK: { S: 'ORDER#tea#order-0001' },
    SK: { S: 'REFUND#refund-0001' },
    GSI1PK: { S: 'OPEN#REFUND#01' },
    GSI1SK: { S: '2026-03-02T02:02:00Z' },
    GSI3PK: { S: 'REFUNDED#2026-03-01#01' },
    GSI3SK: { S: '2026-03-01T02:02:02Z' },
  });
});

test('a refund that WeChat has not accepted is in no day, and one that has ended is no work', () => {
  const pending = refundToItem(sampleRefund());
  const ended = refundToItem(sampleRefund({ nextCheckAtEpochSeconds: undefined }));

  expect(pending).not.toHaveProperty('GSI3PK');
  expect(ended).not.toHaveProperty('GSI1PK');
});

test('times are read by people, and nothing is written that is not there', () => {
  const item = refundToItem(sampleRefund({ refundRequest: undefined, fingerprint: undefined }));

  expect(item).toEqual({
    PK: { S: 'ORDER#order-0001' },
    SK: { S: 'REFUND#refund-0001' },
    GSI1PK: { S: 'OPEN#REFUND#01' },
    GSI1SK: { S: '2026-03-01T02:02:00Z' },
    outTradeNo: { S: 'order-0001' },
    outRefundNo: { S: 'refund-0001' },
    appid: { S: 'wx8888888888888888' },
    mchid: { S: '1900000109' },
    transactionId: { S: '4200000001202603010000000001' },
    currency: { S: 'CNY' },
    apiVersion: { S: 'v2' },
    status: { S: 'PENDING' },
    source: { S: 'API' },
    createdAt: { S: '2026-03-01T02:02:00Z' },
    refundFen: { N: '800' },
    totalFen: { N: '2800' },
    round: { N: '0' },
    attempts: { N: '0' },
    checks: { N: '0' },
    changedAtMs: { N: String(ASKED_AT * 1000) },
    mayHaveReached: { BOOL: false },
  });
});

describe('a damaged row', () => {
  test.each([
    [
      'status',
      { S: 'DONE' },
      'the attribute status is none of PENDING, PROCESSING, SUCCESS, CLOSED, ABNORMAL',
    ],
    ['refundFen', { N: '-1' }, 'the attribute refundFen is not a whole number'],
    ['failure', { S: 'NOTENOUGH' }, 'the row has no map attribute failure'],
    ['goods', { L: [{ S: 'latte' }] }, 'the row has no map attribute goods'],
    ['abnormalEnd', { S: 'OTHERWISE' }, 'the row has no map attribute abnormalEnd'],
    ['refundRequest', { M: {} }, 'the attribute refundRequest is not one of API v2'],
    ['SK', { S: 'ORDER' }, 'the row ORDER#order-0001 ORDER is not a refund'],
    ['SK', { S: 'REFUND#' }, 'the row ORDER#order-0001 REFUND# is not a refund'],
    ['PK', { S: 'PRODUCT#latte' }, 'the row PRODUCT#latte REFUND#refund-0001 is not a refund'],
  ])('whose %s is %j is named', (name, value, problem) => {
    const item = { ...refundToItem(sampleRefund()), [name]: value };
    const error = thrownBy(() => refundFromItem(item));

    expect(error).toBeInstanceOf(UnreadableRowError);
    expect(String(error)).toContain(problem);
  });

  test('that does not say whether it may have reached WeChat may have', () => {
    const { mayHaveReached: _, ...item } = refundToItem(sampleRefund());

    expect(refundFromItem(item).mayHaveReached).toBe(true);
  });
});
