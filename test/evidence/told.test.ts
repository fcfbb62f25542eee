/** What the rows of real writes tell, from the first image to the last. */
import { expect, test } from 'vitest';
import { recordEvidence } from '../../lib/evidence/record.ts';
import { allEvents, newEvents } from '../../lib/events/events.ts';
import type { Evidence } from '../../lib/order/transition.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { problemsOf } from '../support/event-schemas.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';

const newTable = useEmbeddedTables();

const paid = (changes: Parameters<typeof samplePayment>[0] = {}, refunded = false): Evidence => ({
  kind: 'paid',
  refunded,
  payment: samplePayment(changes),
});

test.each<[string, readonly Evidence[], readonly string[]]>([
  ['paid, reported again, and refunded', [paid(), paid(), paid({}, true)], ['Order Paid']],
  ['first seen as refunded', [paid({}, true), paid()], ['Order Paid']],
  [
    'contradicted twice in one way and once in another, then paid',
    [paid({ totalFen: 1 }), paid({ totalFen: 1 }), paid({ openid: 'oAnother' }), paid()],
    ['Payment Mismatch', 'Payment Mismatch', 'Order Paid'],
  ],
  [
    'closed, paid all the same, and contradicted by a second payment',
    [{ kind: 'closed' }, { kind: 'closed' }, paid(), paid({ transactionId: '42' })],
    ['Order Closed', 'Payment After Close', 'Payment Mismatch'],
  ],
])(
  'an order that is %s tells each fact once, in the same bytes ever after',
  async (_, evidence, types) => {
    const table = await newTable();
    await createOrder(table, sampleOrder());
    const images = [await rowOf(table, 'ORDER#order-0001')];
    for (const [index, each] of evidence.entries()) {
      const nowMs = () => (CREATED_AT + 60 + index) * 1000;
      const context = { table, log: recordingLog(), nowMs, paymentAfterClose: 'keep' } as const;
      await recordEvidence(context, orderId(), each);
      images.push(await rowOf(table, 'ORDER#order-0001'));
    }
    const told = images.flatMap((image = {}, index) => newEvents(image, images[index - 1]).events);

    expect(told.map(({ detailType }) => detailType)).toEqual(types);
    expect(told.map(({ eventId }) => eventId)).toEqual(
      types.map((__, index) => `order-0001.${index + 1}`),
    );
    expect(allEvents(images.at(-1) ?? {})).toEqual({ events: told, unreadable: [] });
    for (const { detailType, detail } of told) {
      expect(problemsOf(detailType, JSON.parse(detail))).toEqual([]);
      expect(detail).not.toMatch(/openid":|oUpF8|oAnother/);
    }
  },
);
