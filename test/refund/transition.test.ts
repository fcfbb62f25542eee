import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Refund, RefundEvidence, RefundStatus } from '../../lib/refund/refund.ts';
import {
  decideRefund,
  effectOfConsoleRefund,
  effectOfRefusal,
  type OrderEffect,
} from '../../lib/refund/transition.ts';
import { ASKED_AT, refundEvidence, sampleRefund } from '../support/sample-refunds.ts';

const NOW = ASKED_AT + 600;
const NOTHING: OrderEffect = { takesFen: 0, provesFen: 0, counts: 0, refunds: false };

/** A refund as WeChat's earlier word left it; `CLOSED` by WeChat has its number, by us has none. */
const refundIn = (status: RefundStatus | 'CLOSED by us'): Refund =>
  sampleRefund({
    status: status === 'CLOSED by us' ? 'CLOSED' : status,
    ...(status !== 'PENDING' && status !== 'CLOSED by us' && { refundId: 'known', round: 1 }),
    checks: 7,
  });

const decide = (
  refund: Refund,
  status: RefundEvidence['status'],
  isCurrent = true,
  changes: Partial<RefundEvidence> = {},
) =>
  decideRefund(refund, refundEvidence({ status, ...changes }), {
    isCurrent,
    nowEpochSeconds: NOW,
  });

describe("WeChat's latest word", () => {
  test.each<[RefundStatus | 'CLOSED by us', RefundEvidence['status'], string | OrderEffect]>([
    ['PENDING', 'PROCESSING', { ...NOTHING, provesFen: 800, refunds: true }],
    ['PENDING', 'SUCCESS', { ...NOTHING, provesFen: 800, refunds: true }],
    ['PENDING', 'ABNORMAL', { ...NOTHING, provesFen: 800, refunds: true }],
    ['PENDING', 'CLOSED', { ...NOTHING, takesFen: -800 }],
    ['PROCESSING', 'PROCESSING', 'duplicate'],
    ['PROCESSING', 'SUCCESS', NOTHING],
    ['PROCESSING', 'ABNORMAL', NOTHING],
    ['PROCESSING', 'CLOSED', { ...NOTHING, takesFen: -800, provesFen: -800 }],
    ['ABNORMAL', 'ABNORMAL', 'duplicate'],
    ['ABNORMAL', 'PROCESSING', NOTHING],
    ['ABNORMAL', 'SUCCESS', NOTHING],
    ['ABNORMAL', 'CLOSED', { ...NOTHING, takesFen: -800, provesFen: -800 }],
    ['SUCCESS', 'SUCCESS', 'duplicate'],
    ['SUCCESS', 'PROCESSING', 'stale'],
    ['SUCCESS', 'CLOSED', 'stale'],
    ['SUCCESS', 'ABNORMAL', 'stale'],
    ['CLOSED', 'CLOSED', 'duplicate'],
    ['CLOSED', 'PROCESSING', 'stale'],
    ['CLOSED', 'SUCCESS', 'stale'],
    ['CLOSED', 'ABNORMAL', 'stale'],
    // We gave it up, and WeChat has it after all: its money is taken again, whatever is left.
    ['CLOSED by us', 'SUCCESS', { takesFen: 800, provesFen: 800, counts: 1, refunds: true }],
    ['CLOSED by us', 'PROCESSING', { takesFen: 800, provesFen: 800, counts: 1, refunds: true }],
    ['CLOSED by us', 'ABNORMAL', { takesFen: 800, provesFen: 800, counts: 1, refunds: true }],
    ['CLOSED by us', 'CLOSED', 'duplicate'],
  ])('to a refund that is %s: %s', (from, to, expected) => {
    const refund = refundIn(from);
    const decision = decide(refund, to);

    expect(decision).toMatchObject(
      typeof expected === 'string'
        ? { kind: expected }
        : { kind: 'apply', effect: expected, refund: { status: to, checks: 0 } },
    );
  });

  test.each([
    ['PENDING', 'ABNORMAL', 1],
    ['PROCESSING', 'ABNORMAL', 2],
    ['ABNORMAL', 'PROCESSING', 1],
    ['PROCESSING', 'SUCCESS', 1],
  ] as const)('from %s to %s makes round %i', (from, to, round) => {
    expect(decide(refundIn(from), to)).toMatchObject({ refund: { round } });
  });

  test('is kept with all that it says', () => {
    const refund = sampleRefund({
      waitingFor: 'BALANCE',
      failure: { code: 'NOTENOUGH', message: '余额不足' },
    });
    const said = {
      succeededAtEpochSeconds: NOW - 1,
      userReceivedAccount: '支付用户零钱',
      createdAtEpochSeconds: NOW - 30,
    };

    expect(decide(refund, 'SUCCESS', true, said)).toMatchObject({
      refund: {
        refundId: refundEvidence().refundId,
        waitingFor: undefined,
        failure: undefined,
        acceptedAtEpochSeconds: NOW - 30,
        succeededAtEpochSeconds: NOW - 1,
        userReceivedAccount: '支付用户零钱',
        nextCheckAtEpochSeconds: undefined,
      },
    });
  });

  test('counts as accepted now where it does not say when, and only the first time', () => {
    const accepted = decide(sampleRefund(), 'PROCESSING');

    expect(accepted).toMatchObject({
      refund: { acceptedAtEpochSeconds: NOW, nextCheckAtEpochSeconds: NOW + 60 },
    });
    const later = { ...sampleRefund(), ...(accepted.kind === 'apply' && accepted.refund) };
    const succeeded = decide({ ...later, acceptedAtEpochSeconds: NOW - 500 }, 'SUCCESS');
    expect(succeeded).toMatchObject({ refund: { acceptedAtEpochSeconds: NOW - 500 } });
  });
});

describe('an answer to a question that is older than the last change of the row', () => {
  test.each([
    ['PROCESSING', 'ABNORMAL', 'stale'],
    ['ABNORMAL', 'PROCESSING', 'stale'],
    // These two nothing can follow.
    ['PROCESSING', 'SUCCESS', 'apply'],
    ['ABNORMAL', 'CLOSED', 'apply'],
    // WeChat accepted it, whatever came of it since: the next query tells.
    ['PENDING', 'PROCESSING', 'apply'],
    ['PENDING', 'ABNORMAL', 'apply'],
  ] as const)('about a refund that is %s and says %s is: %s', (from, to, kind) => {
    expect(decide(refundIn(from), to, false).kind).toBe(kind);
  });
});

describe('evidence', () => {
  test.each<Partial<RefundEvidence>>([
    { mchid: '1900000110' },
    { subMchid: '1900000200' },
    { outTradeNo: 'order-0002' },
    { transactionId: '42' },
    { outRefundNo: 'refund-0002' },
    { refundFen: 801 },
    { totalFen: 2801 },
    { currency: 'HKD' },
  ])('that contradicts the refund with %j changes nothing', (changes) => {
    const [[field, observed] = []] = Object.entries(changes);

    expect(decide(sampleRefund(), 'SUCCESS', true, changes)).toMatchObject({
      kind: 'mismatch',
      field,
      observed,
    });
  });

  test('in any order and number never undoes what is final, and takes the money once or not at all', () => {
    const word = fc.constantFrom('PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL');
    const words = fc.array(fc.tuple(word, fc.boolean()), { maxLength: 12 });
    fc.assert(
      fc.property(words, (said) => {
        let refund = sampleRefund();
        let [takenFen, provedFen] = [refund.refundFen, 0];
        for (const [status, isCurrent] of said) {
          const before = refund;
          const decision = decide(refund, status, isCurrent);
          if (decision.kind === 'apply') {
            refund = decision.refund;
            takenFen += decision.effect.takesFen;
            provedFen += decision.effect.provesFen;
          }
          const wasFinal = before.status === 'SUCCESS' || before.status === 'CLOSED';
          expect(wasFinal && refund !== before).toBe(false);
          expect(takenFen).toBe(refund.status === 'CLOSED' ? 0 : 800);
          expect(provedFen).toBe(['CLOSED', 'PENDING'].includes(refund.status) ? 0 : 800);
          expect(refund.nextCheckAtEpochSeconds === undefined).toBe(
            refund.status === 'SUCCESS' || refund.status === 'CLOSED',
          );
        }
      }),
    );
  });
});

test.each(['PROCESSING', 'SUCCESS', 'ABNORMAL'] as const)(
  'a refund of the console that is %s takes its money',
  (status) => {
    expect(effectOfConsoleRefund(refundEvidence({ status }))).toEqual({
      takesFen: 800,
      provesFen: 800,
      counts: 1,
      refunds: true,
    });
  },
);

test('a refund of the console that is found closed takes nothing', () => {
  expect(effectOfConsoleRefund(refundEvidence({ status: 'CLOSED' }))).toEqual(NOTHING);
});

test('a refusal frees the money and does not count', () => {
  expect(effectOfRefusal(sampleRefund())).toEqual({ ...NOTHING, takesFen: -800, counts: -1 });
});
