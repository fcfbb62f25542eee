import { describe, expect, test } from 'vitest';
import { parseCheckoutRequest } from '../../lib/checkout/request.ts';
import { refusalOf } from '../support/thrown.ts';

const refusal = (body: unknown) => refusalOf(() => parseCheckoutRequest(body));
const invalid = (field: string, problem: unknown, more = {}) => ({
  code: 'INVALID_REQUEST',
  parameters: { field, problem, ...more },
});
const item = { sku: 'latte', quantity: 1 };

describe('the body of POST /prepay', () => {
  test('is a cart', () => {
    expect(parseCheckoutRequest({ items: [item, { ...item, amountFen: 520 }] })).toEqual({
      kind: 'cart',
      items: [item, { ...item, amountFen: 520 }],
      attach: undefined,
    });
  });

  test('is a cart with a text of the shop and the price that the buyer saw', () => {
    expect(
      parseCheckoutRequest({ items: [item], attach: '桌号 12', expectedTotalFen: 2800 }),
    ).toEqual({ kind: 'cart', items: [item], attach: '桌号 12', expectedTotalFen: 2800 });
  });

  test('is a quote, or an order to pay again', () => {
    expect(parseCheckoutRequest({ quote: 'a.b.c' })).toEqual({ kind: 'quote', quote: 'a.b.c' });
    expect(parseCheckoutRequest({ outTradeNo: 'order-0001', expectedTotalFen: 1 })).toEqual({
      kind: 'again',
      outTradeNo: 'order-0001',
      expectedTotalFen: 1,
    });
  });

  test.each<unknown>([
    {},
    { items: [item], quote: 'a.b.c' },
    { quote: 'a.b.c', outTradeNo: 'order-0001' },
    Object.create({ quote: 'a.b.c' }),
  ])('that is not exactly one of the three is refused (%j)', (body) => {
    expect(refusal(body)).toEqual(
      invalid('body', 'expected a JSON object with exactly one of items, quote, outTradeNo'),
    );
  });

  test.each<unknown>([[], [item], null, 'items', 7])(
    'that is no object is refused (%j)',
    (body) => {
      expect(refusal(body)).toEqual(invalid('body', 'the body must be a JSON object'));
    },
  );

  test.each(
    [
      'totalFen',
      'total_fee',
      'priceFen',
      'openid',
      'appid',
      'notify_url',
      'notifyUrl',
      'mchid',
    ].flatMap((field) => [
      [field, { items: [item] }] as const,
      [field, { quote: 'a.b.c' }] as const,
      [field, { outTradeNo: 'order-0001' }] as const,
    ]),
  )('with %s is refused, not read without it (%j)', (field, body) => {
    expect(refusal({ ...body, [field]: 1 })).toEqual(invalid(field, 'unknown field'));
  });

  test.each(['priceFen', 'unitFen', 'totalFen', 'name'])(
    'with %s in an item is refused: the price list says that',
    (field) => {
      expect(refusal({ items: [item, { ...item, [field]: 1 }] })).toEqual(
        invalid(`items[1].${field}`, 'unknown field'),
      );
    },
  );

  test.each(['quote', 'outTradeNo'])('has no attach beside %s', (kind) => {
    expect(refusal({ [kind]: 'order-0001', attach: 'x' })).toEqual(
      invalid('attach', 'unknown field'),
    );
  });

  test.each<[string, unknown, string, string, number?]>([
    ['no list of items', { items: item }, 'items', 'expected a list'],
    ['no item', { items: [] }, 'items', 'at least 1 item'],
    [
      '51 items',
      { items: Array.from({ length: 51 }, () => item) },
      'items',
      'at most {max} items',
      50,
    ],
    ['an item that is a text', { items: ['latte'] }, 'items[0]', 'expected an object'],
    ['an item without a product', { items: [{ quantity: 1 }] }, 'items[0].sku', 'missing'],
    ['an item without a quantity', { items: [{ sku: 'latte' }] }, 'items[0].quantity', 'missing'],
    [
      'a number for a product',
      { items: [{ sku: 7, quantity: 1 }] },
      'items[0].sku',
      'expected a string',
    ],
    [
      'an empty product',
      { items: [{ sku: '', quantity: 1 }] },
      'items[0].sku',
      'expected 1 to 64 characters without control characters',
    ],
    [
      'a product of 65 letters',
      { items: [{ sku: 'x'.repeat(65), quantity: 1 }] },
      'items[0].sku',
      'expected 1 to 64 characters without control characters',
    ],
    [
      'half of a character in a product',
      { items: [{ sku: '\ud800', quantity: 1 }] },
      'items[0].sku',
      'expected 1 to 64 characters without control characters',
    ],
    ['a text that is none', { items: [item], attach: 5 }, 'attach', 'expected a string'],
    ['a quote that is none', { quote: {} }, 'quote', 'expected a string'],
    [
      'an endless quote',
      { quote: 'x'.repeat(16_385) },
      'quote',
      'longer than {max} characters',
      16_384,
    ],
    ['no number', { outTradeNo: '' }, 'outTradeNo', 'empty'],
    [
      'a number of 33 letters',
      { outTradeNo: 'x'.repeat(33) },
      'outTradeNo',
      'longer than {max} characters',
      32,
    ],
  ])('with %s is refused, and the field is named', (_name, body, field, problem, max) => {
    expect(refusal(body)).toEqual(invalid(field, problem, max === undefined ? {} : { max }));
  });

  test('may hold 50 items', () => {
    const items = Array.from({ length: 50 }, () => item);

    expect(parseCheckoutRequest({ items })).toMatchObject({ kind: 'cart', items });
  });

  test('names the field and never its value', () => {
    expect(JSON.stringify(refusal({ quote: { secret: 'hunter2' } }))).not.toContain('hunter2');
  });

  test.each<unknown>([0, -1, 28.5, '2800', null, [2800], true, 1e21, 100_000_001])(
    'with an expected total that is no amount is refused (%j)',
    (expectedTotalFen) => {
      expect(refusal({ items: [item], expectedTotalFen })).toEqual({
        code: 'AMOUNT_INVALID',
        parameters: { field: 'expectedTotalFen', min: 1, max: 100_000_000 },
      });
    },
  );

  test('with a text that WeChat would refuse is refused', () => {
    expect(refusal({ items: [item], attach: '茶'.repeat(43) })).toEqual({
      code: 'TEXT_TOO_LONG',
      parameters: { field: 'attach', maxBytes: 127 },
    });
    expect(refusal({ items: [item], attach: '🎂' }).code).toBe('INVALID_REQUEST');
    expect(refusal({ items: [item], attach: '' }).code).toBe('INVALID_REQUEST');
  });
});
