/**
 * Facts under random interleavings of everybody who records evidence, lost answers, repeats by the
 * SDK and crashes, on the real table engine: each fact once, none lost with its change, none ever
 * another than it was.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordEvidence } from '../../lib/evidence/record.ts';
import { recordFoundRefund } from '../../lib/evidence/refund-record.ts';
import type { RefundEvidence } from '../../lib/refund/refund.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { noteRefund } from '../../lib/table/refund-notices.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { allRows, type Row, useEmbeddedTables } from '../support/embedded-tables.ts';
import { factsIn } from '../support/facts-of.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { refundEvidence } from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();

/** What becomes of one call to the table; `twice`: the SDK repeats what was carried out. */
type Fate = 'done' | 'twice' | 'not-sent' | 'answer-lost';

type Deed =
  | { readonly do: 'paid'; readonly by: 'notify' | 'query'; readonly refunded: boolean }
  | { readonly do: 'closed' }
  | { readonly do: 'contradicted'; readonly fen: number }
  | { readonly do: 'unknown'; readonly number: number }
  | { readonly do: 'noted' }
  | { readonly do: 'refund'; readonly number: number; readonly status: RefundEvidence['status'] };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({
    do: fc.constant('paid' as const),
    by: fc.constantFrom('notify', 'query'),
    refunded: fc.boolean(),
  }),
  fc.record({ do: fc.constant('closed' as const) }),
  fc.record({ do: fc.constant('contradicted' as const), fen: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('unknown' as const), number: fc.nat(1) }),
  fc.record({ do: fc.constant('noted' as const) }),
  fc.record({
    do: fc.constant('refund' as const),
    number: fc.nat(2),
    status: fc.constantFrom('PROCESSING', 'ABNORMAL', 'SUCCESS', 'CLOSED'),
  }),
);
const fates: fc.Arbitrary<readonly Fate[]> = fc.array(
  fc.constantFrom<Fate>('done', 'twice', 'twice', 'not-sent', 'answer-lost'),
  { maxLength: 4 },
);
const course = fc.array(fc.array(fc.tuple(deed, fates), { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 6,
});

function unreliable(table: Table, fates: readonly Fate[]): Table {
  const next = [...fates];
  return watchTable(table, async ({ send }) => {
    switch (next.shift() ?? 'done') {
      case 'done':
        return send();
      case 'twice':
        return send().then(send, send);
      case 'not-sent':
        throw new Error('killed before');
      case 'answer-lost':
        await send();
        throw new Error('killed after');
    }
  });
}

let messages = 0;

async function perform(table: Table, one: Deed, fates: readonly Fate[], now: number) {
  messages += 1;
  const context = {
    table: unreliable(table, fates),
    log: recordingLog(),
    nowMs: () => now * 1000,
    paymentAfterClose: 'keep' as const,
  };
  const notification = {
    id: `EV-${messages}`,
    receivedAtMs: now * 1000,
    apiVersion: 'v3',
    kind: 'payment',
    content: '{}',
  } as const;
  const notified = { ...context, notification };
  switch (one.do) {
    case 'paid': {
      const { refunded, by } = one;
      const evidence = { kind: 'paid', refunded, payment: samplePayment() } as const;
      return recordEvidence(by === 'notify' ? notified : context, orderId(), evidence);
    }
    case 'closed':
      return recordEvidence(context, orderId(), { kind: 'closed' });
    case 'contradicted': {
      const payment = samplePayment({ totalFen: one.fen });
      return recordEvidence(notified, orderId(), { kind: 'paid', refunded: false, payment });
    }
    case 'unknown': {
      const [outTradeNo, transactionId] = ['nobodys', `43${one.number}`];
      const payment = samplePayment({ outTradeNo, transactionId });
      const id = orderId(outTradeNo);
      return recordEvidence(notified, id, { kind: 'paid', refunded: false, payment });
    }
    case 'noted':
      return noteRefund(context.table, orderId(), 'somebodys', now);
    case 'refund': {
      const order = await readOrder(table, orderId());
      if (order?.transactionId === undefined) {
        return undefined;
      }
      // Any two of them are more than was paid.
      const evidence = refundEvidence({
        outRefundNo: `r-${one.number}`,
        refundId: `50${one.number}`,
        refundFen: 1500,
        status: one.status,
      });
      return recordFoundRefund(notified, order, evidence);
    }
  }
}

const nameOf = (row: Row) => `${row['PK']?.S} ${row['SK']?.S}`;

/** What each row tells, by its name. */
async function told(table: Table) {
  const rows = await allRows(table);
  return new Map(rows.map((row) => [nameOf(row), { row, facts: factsIn(row) }]));
}

type Told = Awaited<ReturnType<typeof told>>;

/** Whatever was told stays, word for word and in its place. */
function assertGrown(before: Told, after: Told) {
  for (const [name, { facts }] of before) {
    expect(after.get(name)?.facts.slice(0, facts.length)).toEqual(facts);
  }
}

interface ToldRow {
  readonly row: Row;
  readonly facts: readonly Record<string, unknown>[];
}

const valuesOf = (facts: ToldRow['facts'], type: string, name: string) =>
  facts.filter((each) => each['type'] === type).map((each) => each[name]);

const countOf = (facts: ToldRow['facts'], type: string) => valuesOf(facts, type, 'at').length;

const numberOfDifferent = (values: readonly unknown[]) => new Set(values).size;

/** What a row tells is what it is: nothing twice, nothing missing. */
const AGREEMENT: Readonly<Record<string, (told: ToldRow) => void>> = {
  UNKNOWN: ({ facts }) => {
    expect(facts.map(({ type }) => type)).toEqual(['UNKNOWN_ORDER']);
  },
  ORDER: ({ row, facts }) => {
    const isPaid = ['SUCCESS', 'REFUND'].includes(String(row['tradeState']?.S));
    const wasClosed = row['closedAt'] !== undefined;
    const digests = valuesOf(facts, 'MISMATCH', 'digest');
    const above = valuesOf(facts, 'REFUND_MISMATCH', 'outRefundNo');

    expect({
      closed: countOf(facts, 'CLOSED'),
      paid: countOf(facts, 'PAID'),
      paidAfterClose: countOf(facts, 'PAID_AFTER_CLOSE'),
      digests: new Set(digests),
      isAbove: above.length > 0,
    }).toEqual({
      closed: wasClosed ? 1 : 0,
      paid: isPaid && !wasClosed ? 1 : 0,
      paidAfterClose: isPaid && wasClosed ? 1 : 0,
      digests: new Set(row['mismatchDigests']?.SS),
      isAbove: row['refundMismatch'] !== undefined,
    });
    expect([numberOfDifferent(digests), numberOfDifferent(above)]).toEqual([
      digests.length,
      above.length,
    ]);
  },
  REFUND: ({ row, facts }) => {
    const rounds = valuesOf(facts, 'ABNORMAL', 'round');
    const status = row['status']?.S;

    expect(facts[0]?.['type']).toBe('REQUESTED');
    expect(countOf(facts, 'REQUESTED')).toBe(1);
    expect(rounds).toEqual(rounds.map((_, index) => index + 1));
    expect(Number(row['round']?.N)).toBe(rounds.length);
    expect([countOf(facts, 'SUCCEEDED'), countOf(facts, 'CLOSED')]).toEqual([
      status === 'SUCCESS' ? 1 : 0,
      status === 'CLOSED' ? 1 : 0,
    ]);
  },
};

const kindOf = (row: Row) => String(row['SK']?.S).split('#')[0] ?? '';

describe('facts', () => {
  test('are told once each by whoever is first, with the change, and stay what they are', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (rounds) => {
        const table = await newTable();
        await createOrder(table, sampleOrder());
        let now = CREATED_AT + 60;
        let before = await told(table);
        const next = async (deeds: readonly (readonly [Deed, readonly Fate[]])[]) => {
          await Promise.allSettled(deeds.map(([one, faults]) => perform(table, one, faults, now)));
          const after = await told(table);
          assertGrown(before, after);
          for (const each of after.values()) {
            AGREEMENT[kindOf(each.row)]?.(each);
          }
          before = after;
          now += 7;
        };
        for (const deeds of rounds) {
          await next(deeds);
        }
        // Everything comes once more, as WeChat repeats it, and nobody dies.
        const all = rounds.flat().map(([one]) => [one, []] as const);
        for (const one of all) {
          await next([one]);
        }

        const contradictions = all.flatMap(([one]) => (one.do === 'contradicted' ? [one.fen] : []));
        const { facts = [] } = before.get('ORDER#order-0001 ORDER') ?? {};
        const fen = valuesOf(facts, 'MISMATCH', 'totalFen');
        expect([new Set(fen), fen.length]).toEqual([
          new Set(contradictions),
          new Set(contradictions).size,
        ]);
        const unknown = new Set(all.flatMap(([one]) => (one.do === 'unknown' ? [one.number] : [])));
        const kept = [...before.keys()].filter((name) => name.startsWith('UNKNOWN#'));
        expect(kept).toHaveLength(unknown.size);
      }),
      { numRuns: 40 },
    );
  }, 240_000);
});
