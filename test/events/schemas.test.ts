/** The schemas of events say what may be in one, and nothing else is in one. */
import { describe, expect, test } from 'vitest';
import { billDifferenceKind, billKind } from '../../lib/events/bill-events.ts';
import { orderKind } from '../../lib/events/order-events.ts';
import { refundKind } from '../../lib/events/refund-events.ts';
import { unknownPaymentKind } from '../../lib/events/unknown-payment-events.ts';
import { listProjectFiles } from '../repo/project.ts';
import { EVENT_SCHEMAS, problemsOf } from '../support/event-schemas.ts';

const detailTypes = [
  orderKind,
  refundKind,
  unknownPaymentKind,
  billKind,
  billDifferenceKind,
].flatMap(({ events }) => Object.values(events).map(({ detailType }) => detailType));

test('there is one for each type of event, named after it, and no other', () => {
  const names = [...new Set(detailTypes)].map(
    (type) => `docs/events/${type.toLowerCase().replaceAll(' ', '-')}.schema.json`,
  );

  expect(listProjectFiles('docs/events/*')).toEqual(names.toSorted());
  expect([...EVENT_SCHEMAS.keys()].toSorted()).toEqual([...new Set(detailTypes)].toSorted());
});

describe.each([...EVENT_SCHEMAS])('%s', (detailType, { examples, properties, required }) => {
  test('explains every field, amounts and times with their units', () => {
    for (const [name, { description }] of Object.entries(properties)) {
      expect(description?.length, name).toBeGreaterThan(3);
      expect(description?.includes('in fen'), name).toBe(name.endsWith('Fen'));
      expect(description?.includes('ISO 8601 in UTC'), name).toBe(name.endsWith('At'));
    }
  });

  test('has examples that are valid', () => {
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(problemsOf(detailType, example)).toEqual([]);
    }
  });

  test.each(required)('refuses its examples without %s', (name) => {
    for (const { [name]: _, ...rest } of examples) {
      expect(problemsOf(detailType, rest)).not.toEqual([]);
    }
  });

  test('refuses a field of another type, an amount below nothing or in parts, a time in other words', () => {
    for (const example of examples) {
      for (const [name, value] of Object.entries(example)) {
        const wrong = [
          null,
          typeof value === 'string' ? 1 : 'one',
          ...(name.endsWith('Fen') ? [-1, 0.5] : []),
          ...(name.endsWith('At') ? ['yesterday', '2026-03-01'] : []),
        ];
        for (const each of wrong) {
          expect(problemsOf(detailType, { ...example, [name]: each }), name).not.toEqual([]);
        }
      }
    }
  });

  test('refuses what it does not name: who paid, above all', () => {
    for (const name of ['openid', 'payer', 'session']) {
      const [example] = examples;
      expect(problemsOf(detailType, { ...example, [name]: 'oUpF8uMuAJO' })).toEqual([
        `${detailType} must NOT have additional properties {"additionalProperty":"${name}"}`,
      ]);
    }
  });
});

test.each([
  ['an ABNORMAL refund without its round', { status: 'ABNORMAL', round: undefined }],
  ['a CLOSED one with a round', { status: 'CLOSED', round: 1 }],
  ['one that succeeded', { status: 'SUCCESS' }],
])('a failed refund is not %s', (_, changes) => {
  const [example] = EVENT_SCHEMAS.get('Refund Failed')?.examples ?? [];
  const altered = JSON.parse(JSON.stringify({ ...example, ...changes })) as unknown;

  expect(problemsOf('Refund Failed', altered)).not.toEqual([]);
});

test('an event without a schema is refused', () => {
  expect(problemsOf('Order Eaten', {})).toEqual(['there is no schema for Order Eaten']);
});
