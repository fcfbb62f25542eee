import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OrderState } from '../../lib/order/order.ts';
import {
  type Decision,
  decideTransition,
  type Evidence,
  type OrderFacts,
  type PaymentEvidence,
} from '../../lib/order/transition.ts';
import { CREATED_AT, sampleOrder, samplePayment } from '../support/sample-orders.ts';

const paid: Evidence = { kind: 'paid', refunded: false, payment: samplePayment() };
const refunded: Evidence = { kind: 'paid', refunded: true, payment: samplePayment() };
const closed: Evidence = { kind: 'closed' };

const NOW = CREATED_AT + 60;
const DAY = 86_400;

const known = { transactionId: samplePayment().transactionId };
const rows: Record<OrderState, OrderFacts> = {
  NOTPAY: sampleOrder(),
  CLOSED: sampleOrder({ tradeState: 'CLOSED' }),
  SUCCESS: sampleOrder({ tradeState: 'SUCCESS', ...known }),
  REFUND: sampleOrder({ tradeState: 'REFUND', ...known }),
};

describe('evidence for an order', () => {
  const apply = (from: OrderState, to: OrderState, paidAfterClose = false): Decision => ({
    kind: 'apply',
    from,
    to,
    paidAfterClose,
  });
  const duplicate: Decision = { kind: 'duplicate' };
  const stale: Decision = { kind: 'stale' };

  test.each<[string, OrderState, Evidence, Decision]>([
    ['that is open and was paid makes it SUCCESS', 'NOTPAY', paid, apply('NOTPAY', 'SUCCESS')],
    ['that is open and was refunded: REFUND', 'NOTPAY', refunded, apply('NOTPAY', 'REFUND')],
    ['that is open and was closed makes it CLOSED', 'NOTPAY', closed, apply('NOTPAY', 'CLOSED')],
    ['that is closed, paid: SUCCESS, flagged', 'CLOSED', paid, apply('CLOSED', 'SUCCESS', true)],
    ['that is closed, refunded: flagged', 'CLOSED', refunded, apply('CLOSED', 'REFUND', true)],
    ['that is closed, closed again: nothing new', 'CLOSED', closed, duplicate],
    ['that is paid, paid again: nothing new', 'SUCCESS', paid, duplicate],
    ['that is paid, refunded: REFUND', 'SUCCESS', refunded, apply('SUCCESS', 'REFUND')],
    ['that is paid, closed: older news', 'SUCCESS', closed, stale],
    ['that is refunded, paid: takes no refund back', 'REFUND', paid, duplicate],
    ['that is refunded, refunded again: nothing new', 'REFUND', refunded, duplicate],
    ['that is refunded, closed: older news', 'REFUND', closed, stale],
  ])('%s', (_title, state, evidence, decision) => {
    expect(decideTransition(rows[state], evidence, NOW)).toEqual(decision);
  });

  test.each([paid, refunded, closed])('that does not exist is an unknown order', (evidence) => {
    expect(decideTransition(undefined, evidence, NOW)).toEqual({ kind: 'unknown-order' });
  });
});

const contradictions = {
  totalFen: 2799,
  currency: 'USD',
  openid: 'oSomebodyElse',
  appid: 'wx0000000000000000',
  mchid: '1900000999',
} as const;
const contradictingFields = Object.keys(contradictions) as (keyof typeof contradictions)[];

const contradict = (field: keyof typeof contradictions, isRefunded = false): Evidence => ({
  kind: 'paid',
  refunded: isRefunded,
  payment: samplePayment({ [field]: contradictions[field] }),
});

describe('a payment that contradicts the order', () => {
  const states = ['NOTPAY', 'CLOSED', 'SUCCESS', 'REFUND'] as const;

  test.each(contradictingFields.flatMap((field) => states.map((state) => [field, state] as const)))(
    'in %s changes nothing while it is %s, and both values are named',
    (field, state) => {
      const expected: Decision = {
        kind: 'mismatch',
        field,
        expected: rows[state][field],
        observed: contradictions[field],
      };

      expect(decideTransition(rows[state], contradict(field), NOW)).toEqual(expected);
      expect(decideTransition(rows[state], contradict(field, true), NOW)).toEqual(expected);
    },
  );

  test.each(['SUCCESS', 'REFUND'] as const)(
    'by a second transaction is no duplicate while the order is %s',
    (state) => {
      const second = samplePayment({ transactionId: '4200000002202603010000000002' });

      expect(
        decideTransition(rows[state], { kind: 'paid', refunded: true, payment: second }, NOW),
      ).toEqual({
        kind: 'mismatch',
        field: 'transactionId',
        expected: '4200000001202603010000000001',
        observed: '4200000002202603010000000002',
      });
    },
  );

  test.each([
    ['subMchid', { subMchid: '1900000999' }, {}, '1900000999', '(none)'],
    ['subMchid', {}, { subMchid: '1900000999' }, '(none)', '1900000999'],
    ['spAppid', { spAppid: 'wx00000000provider' }, {}, 'wx00000000provider', '(none)'],
    [
      'subMchid',
      { subMchid: '1900000999' },
      { subMchid: '1900000888' },
      '1900000999',
      '1900000888',
    ],
  ] as const)(
    'in %s, which only service providers have, is a contradiction: %j %j',
    (field, order, payment, expected, observed) => {
      expect(
        decideTransition(sampleOrder(order), { ...paid, payment: samplePayment(payment) }, NOW),
      ).toEqual({ kind: 'mismatch', field, expected, observed });
    },
  );

  test.each<[string, number, string | number, string | number]>([
    ['a day and a second before its order', CREATED_AT - DAY - 1, CREATED_AT, CREATED_AT - DAY - 1],
    ['in the year 1', -62_135_596_800, CREATED_AT, -62_135_596_800],
    ['a day and a second from now', NOW + DAY + 1, NOW, NOW + DAY + 1],
    ['in the year 9999', 253_402_300_799, NOW, 253_402_300_799],
    ['at no time', Number.NaN, 'a time', 'not a time'],
  ])('by its time (%s) changes nothing', (_, paidAtEpochSeconds, expected, observed) => {
    const payment = samplePayment({ paidAtEpochSeconds });
    for (const [state, refund] of states.flatMap(
      (one) =>
        [
          [one, false],
          [one, true],
        ] as const,
    )) {
      expect(
        decideTransition(rows[state], { kind: 'paid', refunded: refund, payment }, NOW),
      ).toEqual({ kind: 'mismatch', field: 'paidAtEpochSeconds', expected, observed });
    }
  });

  test.each([CREATED_AT - DAY, NOW + DAY, CREATED_AT])(
    'in nothing, with a time as far off as clocks may be (%i), is recorded',
    (paidAtEpochSeconds) => {
      const payment = samplePayment({ paidAtEpochSeconds });

      expect(
        decideTransition(rows.NOTPAY, { kind: 'paid', refunded: false, payment }, NOW).kind,
      ).toBe('apply');
    },
  );

  test('in its time and in the amount is of the amount', () => {
    const payment = samplePayment({ paidAtEpochSeconds: Number.NaN, totalFen: 1 });

    expect(
      decideTransition(rows.NOTPAY, { kind: 'paid', refunded: false, payment }, NOW),
    ).toMatchObject({
      field: 'totalFen',
    });
  });

  test('in the amount by text is a contradiction: nothing is converted', () => {
    const payment = { ...samplePayment(), totalFen: '2800' as unknown as number };

    expect(
      decideTransition(rows.NOTPAY, { kind: 'paid', refunded: false, payment }, NOW).kind,
    ).toBe('mismatch');
  });
});

/**
 * A row as DynamoDB keeps it: written only if it still is what the writer says it must be. This is
 * the model that the properties below run against; test/table runs the same against the engine.
 */
interface Row {
  facts: OrderFacts;
  paidAfterClose: boolean;
  writes: number;
}

const newRow = (): Row => ({ facts: rows.NOTPAY, paidAfterClose: false, writes: 0 });

/** One message on its way into the row: it decides on what it saw, and writes later or never. */
class Writer {
  readonly evidence: Evidence;
  decision: Decision | undefined;

  constructor(evidence: Evidence) {
    this.evidence = evidence;
  }

  /** One step: look and decide, or write. Afterwards either done or back at looking. */
  step(row: Row): void {
    if (this.decision?.kind !== 'apply') {
      this.decision = decideTransition(row.facts, this.evidence, NOW);
      return;
    }
    const { from, to, paidAfterClose } = this.decision;
    if (row.facts.tradeState !== from) {
      this.decision = undefined;
      return;
    }
    row.facts = {
      ...row.facts,
      tradeState: to,
      ...(this.evidence.kind === 'paid' && { transactionId: this.evidence.payment.transactionId }),
    };
    row.paidAfterClose ||= paidAfterClose;
    row.writes += 1;
    this.decision = { kind: 'duplicate' };
  }

  get isDone(): boolean {
    return this.decision !== undefined && this.decision.kind !== 'apply';
  }
}

/** Runs messages with their steps interleaved as `turns` says; then lets each one finish. */
function run(evidence: readonly Evidence[], turns: readonly number[], watch: (row: Row) => void) {
  const row = newRow();
  const writers = evidence.map((each) => new Writer(each));
  const advance = (writer: Writer) => {
    if (!writer.isDone) {
      writer.step(row);
    }
    watch(row);
  };
  for (const turn of turns) {
    const writer = writers[turn % Math.max(writers.length, 1)];
    if (writer) {
      advance(writer);
    }
  }
  for (const writer of writers) {
    while (!writer.isDone) {
      advance(writer);
    }
  }
  return { row, writers };
}

const agreeing = fc.constantFrom(paid, refunded, closed);
const contradicting = fc
  .tuple(fc.constantFrom(...contradictingFields), fc.boolean())
  .map(([field, isRefunded]) => contradict(field, isRefunded));
const anyEvidence = fc.oneof(agreeing, contradicting);
const turns = fc.array(fc.nat(11), { maxLength: 40 });
const isPaidState = (state: OrderState) => state === 'SUCCESS' || state === 'REFUND';

describe('messages in any number, order and interleaving', () => {
  test('make an order paid only by a payment that agrees with it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(closed), contradicting), { maxLength: 12 }),
        turns,
        (evidence, order) => {
          run(evidence, order, ({ facts }) => {
            expect(isPaidState(facts.tradeState)).toBe(false);
            expect(facts.transactionId).toBeUndefined();
          });
        },
      ),
    );
  });

  test('never undo a payment or a refund', () => {
    const rank: Record<OrderState, number> = { NOTPAY: 0, CLOSED: 1, SUCCESS: 2, REFUND: 3 };
    fc.assert(
      fc.property(fc.array(anyEvidence, { maxLength: 12 }), turns, (evidence, order) => {
        let highest = 0;
        run(evidence, order, ({ facts }) => {
          expect(rank[facts.tradeState]).toBeGreaterThanOrEqual(highest);
          highest = rank[facts.tradeState];
        });
      }),
    );
  });

  test('that contradict the order change nothing, whatever else happens', () => {
    fc.assert(
      fc.property(
        fc.array(agreeing, { maxLength: 6 }),
        fc.array(contradicting, { maxLength: 6 }),
        turns,
        (good, bad, order) => {
          const { row, writers } = run([...good, ...bad], order, () => {});
          const alone = run(good, [], () => {}).row;

          expect(row.facts).toEqual(alone.facts);
          for (const writer of writers.slice(good.length)) {
            expect(writer.decision?.kind).toBe('mismatch');
          }
        },
      ),
    );
  });

  test('that agree with the order end in the same state whatever came first', () => {
    fc.assert(
      fc.property(fc.array(agreeing, { maxLength: 8 }), turns, (evidence, order) => {
        const { row } = run(evidence, order, () => {});
        let expected: OrderState = 'NOTPAY';
        if (evidence.includes(closed)) {
          expected = 'CLOSED';
        }
        if (evidence.includes(paid)) {
          expected = 'SUCCESS';
        }
        if (evidence.includes(refunded)) {
          expected = 'REFUND';
        }

        expect(row.facts.tradeState).toBe(expected);
        expect(row.facts.transactionId).toBe(
          isPaidState(expected) ? samplePayment().transactionId : undefined,
        );
      }),
    );
  });

  test('flag a payment exactly when the order had been closed before', () => {
    fc.assert(
      fc.property(fc.array(anyEvidence, { maxLength: 12 }), turns, (evidence, order) => {
        let wasClosed = false;
        const { row } = run(evidence, order, ({ facts }) => {
          wasClosed ||= facts.tradeState === 'CLOSED';
        });

        expect(row.paidAfterClose).toBe(wasClosed && isPaidState(row.facts.tradeState));
      }),
    );
  });

  test('that say the same twice write once, the second is a duplicate', () => {
    fc.assert(
      fc.property(agreeing, fc.integer({ min: 2, max: 6 }), turns, (evidence, copies, order) => {
        const { row, writers } = run(Array(copies).fill(evidence), order, () => {});

        expect(row.writes).toBe(1);
        for (const { decision } of writers) {
          expect(decision).toEqual({ kind: 'duplicate' });
        }
        expect(decideTransition(row.facts, evidence, NOW)).toEqual({ kind: 'duplicate' });
      }),
    );
  });

  test('accept one transaction only: payments by two never both count', () => {
    const payment = (transactionId: string): PaymentEvidence => samplePayment({ transactionId });
    const byEither = fc.tuple(fc.constantFrom('first', 'second'), fc.boolean()).map(
      ([id, isRefunded]): Evidence => ({
        kind: 'paid',
        refunded: isRefunded,
        payment: payment(id),
      }),
    );
    fc.assert(
      fc.property(fc.array(byEither, { minLength: 1, maxLength: 8 }), (evidence) => {
        let accepted: string | undefined;
        run(evidence, [], ({ facts }) => {
          expect(accepted === undefined || facts.transactionId === accepted).toBe(true);
          accepted = facts.transactionId;
        });
      }),
    );
  });
});
