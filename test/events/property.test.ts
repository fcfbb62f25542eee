/** The same fact gives the same bytes, from whichever later image of its row it is made. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allEvents, type FactEvent, newEvents } from '../../lib/events/events.ts';
import type { Item } from '../../lib/table/attributes.ts';
import { problemsOf } from '../support/event-schemas.ts';
import {
  attributes,
  factOf,
  openOrderRow,
  refundRow,
  TRANSACTION_ID,
  withFacts,
} from '../support/fact-rows.ts';

/** What a write does to a row: facts that it appends, attributes that it sets. */
interface Write {
  readonly facts: readonly ReturnType<typeof factOf>[];
  readonly sets: Item;
}

const time = fc
  .integer({ min: 1_772_330_400, max: 1_800_000_000 })
  .map((seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`);
const word = fc.stringMatching(/^[a-z0-9拿铁]{1,20}$/);
const fen = fc.integer({ min: 0, max: 100_000_000 });

/** What changes on a row without anybody being told. */
const quietly = fc
  .record({ checks: fc.nat(), checkedAt: time, GSI1SK: time, writeId: word, updatedAt: time })
  .map((values): Write => ({ facts: [], sets: attributes(values) }));

const contradiction = (fields: readonly string[], more: object = {}) =>
  fc
    .record({ digest: word, field: fc.constantFrom(...fields), at: time })
    .chain((values) => fc.tuple(fc.constant(values), word, word))
    .map(
      ([{ at, ...values }, expected, observed]): Write => ({
        facts: [factOf('MISMATCH', attributes({ ...values, expected, observed, ...more }), at)],
        sets: { mismatch: { M: attributes({ at, expected }) } },
      }),
    );

/** Who paid is no business of whoever listens. */
const mismatched = contradiction(['totalFen', 'openid', 'appid'], {
  transactionId: 'x',
  totalFen: 1,
});

const closed = time.map(
  (at): Write => ({
    facts: [factOf('CLOSED', {}, at)],
    sets: attributes({ tradeState: 'CLOSED', closedAt: at }),
  }),
);
const paid = fc.record({ at: time, paidAt: time, late: fc.boolean() }).map(
  ({ at, paidAt, late }): Write => ({
    facts: [
      factOf(
        late ? 'PAID_AFTER_CLOSE' : 'PAID',
        attributes({ tradeState: 'SUCCESS', ...(late && { paymentAfterClose: 'keep' }) }),
        at,
      ),
    ],
    sets: {
      ...attributes({ tradeState: 'SUCCESS', paidAt, transactionId: TRANSACTION_ID }),
      ...(late && { paidAfterClose: { BOOL: true }, paymentAfterClose: { S: 'keep' } }),
    },
  }),
);
/** After the payment: refunds change the order, and a setting changes what is decided later. */
const refunded = fc
  .record({ refundableFen: fen, refundedFen: fen, refundSentAt: time })
  .map((values): Write => ({ facts: [], sets: attributes({ ...values, tradeState: 'REFUND' }) }));

const orderLife = fc
  .tuple(
    fc.array(fc.oneof(quietly, mismatched)),
    fc.array(closed, { maxLength: 1 }),
    fc.array(quietly),
    fc.array(paid, { maxLength: 1 }),
    fc.array(fc.oneof(quietly, refunded, mismatched)),
  )
  .map((writes) => ({ row: openOrderRow(), writes: writes.flat() }));

const abnormal = fc.record({ at: time, round: fc.integer({ min: 1, max: 9 }) }).map(
  ({ at, round }): Write => ({
    facts: [factOf('ABNORMAL', attributes({ round, refundId: '5030' }), at)],
    sets: attributes({ status: 'ABNORMAL', round, refundId: '5030' }),
  }),
);
const ended = fc.record({ at: time, succeededAt: time, works: fc.boolean() }).map(
  ({ at, succeededAt, works }): Write =>
    works
      ? {
          facts: [factOf('SUCCEEDED', attributes({ succeededAt, refundId: '5030' }), at)],
          sets: attributes({ status: 'SUCCESS', succeededAt, refundId: '5030' }),
        }
      : {
          facts: [factOf('CLOSED', {}, at)],
          sets: { ...attributes({ status: 'CLOSED' }) },
        },
);
const refundLife = fc
  .tuple(
    time.map((at): Write => ({ facts: [factOf('REQUESTED', {}, at)], sets: {} })),
    fc.array(fc.oneof(quietly, abnormal, contradiction(['refundFen', 'currency', 'status']))),
    fc.array(ended, { maxLength: 2 }),
    fc.array(quietly),
  )
  .map(([first, ...writes]) => ({ row: refundRow(), writes: [first, ...writes.flat()] }));

/** Every image of a row, from the first on. */
function imagesOf({ row, writes }: { row: Item; writes: readonly Write[] }): Item[] {
  const images = [row];
  for (const { facts, sets } of writes) {
    const last = images.at(-1) ?? row;
    const all = [...(last['facts']?.L ?? []), ...facts];
    images.push({ ...(all.length > 0 ? withFacts(last, ...all) : last), ...sets });
  }
  return images;
}

test.each([
  ['an order', orderLife],
  ['a refund', refundLife],
] as const)('of %s, whatever happens to it later', (_, life) => {
  fc.assert(
    fc.property(life, (lived) => {
      const images = imagesOf(lived);
      const told: FactEvent[] = [];
      for (const [index, image] of images.entries()) {
        const { events, unreadable } = newEvents(image, images[index - 1]);
        expect(unreadable).toEqual([]);
        told.push(...events);
        // What was told before is in every later image, byte for byte, and in this order.
        const retold = image['facts'] ? allEvents(image).events : [];
        expect(retold).toEqual(told);
      }
      expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(told.length);
      for (const { detailType, detail } of told) {
        expect(problemsOf(detailType, JSON.parse(detail))).toEqual([]);
      }
    }),
  );
});

test('of a record that comes again, in any batch', () => {
  fc.assert(
    fc.property(orderLife, fc.nat(), (lived, at) => {
      const images = imagesOf(lived);
      const index = at % images.length;
      const [image = {}, before] = [images[index], images[index - 1]];

      expect(newEvents(image, before)).toEqual(newEvents(structuredClone(image), before));
    }),
  );
});
