import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asSent,
  automaticRefundNumberFor,
  digestOfKey,
  fingerprintOf,
  refundNumberFor,
  type RefundWish,
} from '../../lib/refund/request.ts';
import { orderId } from '../support/sample-orders.ts';
import { ASKED_AT, paidOrder, sampleRefund } from '../support/sample-refunds.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the fingerprint of a request', () => {
  const wish: RefundWish = {
    refundFen: 1,
    reason: '少发',
    outRefundNo: 'r-1',
    goods: [{ merchantGoodsId: 'latte', unitPriceFen: 1, refundFen: 1, quantity: 1 }],
  };

  test('is that of the request as it was sent: "all that is left" has no amount', () => {
    expect(fingerprintOf({})).toBe(sha256('{}'));
    expect(fingerprintOf({ refundFen: 2800 })).toBe(sha256('{"refundFen":2800}'));
  });

  test.each<Partial<RefundWish>>([
    { refundFen: 2 },
    { refundFen: undefined },
    { reason: '少发 ' },
    { outRefundNo: 'r-2' },
    { goods: [] },
  ])('changes with %j', (change) => {
    expect(fingerprintOf({ ...wish, ...change })).not.toBe(fingerprintOf(wish));
  });

  test('does not change with the order of the fields', () => {
    const { goods, reason, outRefundNo, refundFen } = wish;

    expect(fingerprintOf({ goods, outRefundNo, reason, refundFen })).toBe(fingerprintOf(wish));
  });
});

describe('the number of a refund', () => {
  test('is the same for the same key of the same order, in 32 hex digits', () => {
    const number = refundNumberFor('orders', orderId(), digestOfKey('key-1'));

    expect(number).toBe(refundNumberFor('orders', orderId(), digestOfKey('key-1')));
    expect(number).toMatch(/^[0-9a-f]{32}$/);
  });

  test('differs with table, merchant, order and key, and from the automatic one', () => {
    const text = fc.string({ minLength: 1, maxLength: 6 });
    const input = fc.record({ scope: text, merchantKey: text, outTradeNo: text, key: text });
    const numberOf = ({
      scope,
      merchantKey,
      outTradeNo,
      key,
    }: Readonly<Record<'scope' | 'merchantKey' | 'outTradeNo' | 'key', string>>) =>
      refundNumberFor(scope, { merchantKey, outTradeNo }, digestOfKey(key));
    fc.assert(
      fc.property(input, input, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        expect(numberOf(a) === numberOf(b)).toBe(isSame);
        expect(numberOf(a)).not.toBe(automaticRefundNumberFor(b.scope, b));
      }),
    );
  });

  test('of the first merchant does not name it', () => {
    expect(refundNumberFor('orders', orderId(), digestOfKey('key-1'))).toBe(
      sha256(JSON.stringify(['REFUND', 'orders', 'order-0001', sha256('["KEY","key-1"]')])).slice(
        0,
        32,
      ),
    );
    expect(automaticRefundNumberFor('orders', orderId())).toBe(
      sha256('["PAYMENT_AFTER_CLOSE","orders","order-0001"]').slice(0, 32),
    );
  });
});

describe('a new refund', () => {
  test('has the parties of its order, is due at once, and nobody has sent it', () => {
    const parties = { subMchid: '1900000200', spAppid: 'wx9999999999999999' };
    const { merchantKey, outTradeNo, appid, mchid, transactionId } = paidOrder();

    expect(sampleRefund()).toMatchObject({
      merchantKey,
      outTradeNo,
      appid,
      mchid,
      transactionId,
      totalFen: 2800,
      currency: 'CNY',
      apiVersion: 'v2',
      status: 'PENDING',
      round: 0,
      attempts: 0,
      mayHaveReached: false,
      nextCheckAtEpochSeconds: ASKED_AT,
      changedAtEpochMs: ASKED_AT * 1000,
    });
    expect(paidOrder(parties)).toMatchObject(parties);
  });

  test('that is being sent is in doubt from the moment before', () => {
    const waiting = sampleRefund({ waitingFor: 'PAUSE' });

    expect(asSent(waiting, ASKED_AT + 60, 90)).toEqual({
      ...waiting,
      waitingFor: undefined,
      sentAtEpochSeconds: ASKED_AT + 60,
      attempts: 1,
      mayHaveReached: true,
      nextCheckAtEpochSeconds: ASKED_AT + 150,
    });
  });
});
