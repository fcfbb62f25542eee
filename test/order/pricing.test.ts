import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CartItem, priceCart, type Product } from '../../lib/order/pricing.ts';
import { refusalOf } from '../support/thrown.ts';

const products: readonly Product[] = [
  { sku: 'latte', name: '拿铁', priceFen: 2800 },
  { sku: 'cookie', name: 'Cookie', priceFen: 1 },
  { sku: 'gift', name: 'Sticker', priceFen: 0 },
  { sku: 'villa', name: 'Villa', priceFen: 100_000_000 },
  { sku: 'deposit', name: 'Deposit', minFen: 1, maxFen: 100_000 },
  { sku: 'part-payment', name: 'Part payment', minFen: 1000, maxFen: 999_999_999_999 },
];
const catalogue = new Map(products.map((product) => [product.sku, product]));

const price = (...cart: CartItem[]) => priceCart(cart, catalogue);
const refusal = (...cart: CartItem[]) => refusalOf(() => price(...cart));

/** A price list with one product in it. */
const priceOf = (product: Product, item: Omit<CartItem, 'sku'>) =>
  priceCart([{ sku: product.sku, ...item }], new Map([[product.sku, product]]));

/** What a client can send for a number and that is none in fen, as `JSON.parse` gives it. */
const notFen: readonly [string, unknown][] = [
  ['0.1 + 0.2', 0.1 + 0.2],
  ['a fraction', JSON.parse('28.5')],
  ['a fraction that is nearly whole', JSON.parse('28.000001')],
  ['zero', JSON.parse('0')],
  ['minus zero', JSON.parse('-0')],
  ['a negative number', JSON.parse('-1')],
  ['1e21', JSON.parse('1e21')],
  ['a number beyond all numbers (Infinity)', JSON.parse('1e400')],
  ['NaN, which JSON writes as null', JSON.parse(JSON.stringify(Number.NaN))],
  ['2 ** 53', 2 ** 53],
  ['a text of digits', JSON.parse('"100"')],
  ['an empty text', JSON.parse('""')],
  ['a text of words', JSON.parse('"free"')],
  ['an array with a number', JSON.parse('[100]')],
  ['an empty array', JSON.parse('[]')],
  ['an object', JSON.parse('{"valueOf":100}')],
  ['true', JSON.parse('true')],
  ['nothing', undefined],
];

describe('a cart', () => {
  test('costs the sum of price times quantity, in fen', () => {
    expect(price({ sku: 'latte', quantity: 2 }, { sku: 'cookie', quantity: 3 })).toEqual({
      items: [
        { sku: 'latte', quantity: 2, unitFen: 2800 },
        { sku: 'cookie', quantity: 3, unitFen: 1 },
      ],
      totalFen: 5603,
      description: '拿铁 x2, Cookie x3',
    });
  });

  test('may name a product twice', () => {
    expect(price({ sku: 'latte', quantity: 1 }, { sku: 'latte', quantity: 1 }).totalFen).toBe(5600);
  });

  test('says of each line what it is, unless it is physical', () => {
    const service: Product = { sku: 'haircut', name: 'Haircut', kind: 'service', priceFen: 6800 };
    const cart = [
      { sku: 'latte', quantity: 1 },
      { sku: 'haircut', quantity: 1 },
    ];

    expect(priceCart(cart, new Map([...catalogue, ['haircut', service]])).items).toStrictEqual([
      { sku: 'latte', quantity: 1, unitFen: 2800 },
      { sku: 'haircut', quantity: 1, unitFen: 6800, kind: 'service' },
    ]);
  });

  test('may hold a gift beside something that costs', () => {
    expect(price({ sku: 'gift', quantity: 1 }, { sku: 'cookie', quantity: 1 }).totalFen).toBe(1);
  });

  test('of nothing but gifts is refused: there is nothing to pay', () => {
    expect(refusal({ sku: 'gift', quantity: 5 })).toEqual({
      code: 'AMOUNT_INVALID',
      parameters: { field: 'totalFen', min: 1, max: 100_000_000 },
    });
  });

  test('with a product that is not for sale is refused, and the product is named', () => {
    expect(refusal({ sku: 'latte', quantity: 1 }, { sku: 'tea', quantity: 1 })).toEqual({
      code: 'PRODUCT_NOT_FOUND',
      parameters: { sku: 'tea' },
    });
  });

  test('has the same total in whatever order its lines come', () => {
    const line = fc.record({
      sku: fc.constantFrom('latte', 'cookie', 'gift'),
      quantity: fc.integer({ min: 1, max: 9999 }),
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 50 }), (lines) => {
        const cart: CartItem[] = [{ sku: 'cookie', quantity: 1 }, ...lines];
        // Whole numbers of any size, so the sum does not rest on the arithmetic under test.
        const total = cart.reduce((sum, { sku, quantity }) => {
          const unit = { latte: 2800n, cookie: 1n, gift: 0n }[sku] ?? 0n;
          return sum + unit * BigInt(quantity as number);
        }, 0n);
        fc.pre(total <= 100_000_000n);

        expect(BigInt(price(...cart).totalFen)).toBe(total);
        expect(price(...cart.toReversed()).totalFen).toBe(Number(total));
      }),
    );
  });
});

describe('a total', () => {
  test('of 1,000,000 yuan is the largest there is', () => {
    expect(price({ sku: 'villa', quantity: 1 }).totalFen).toBe(100_000_000);
    expect(refusal({ sku: 'villa', quantity: 1 }, { sku: 'cookie', quantity: 1 })).toEqual({
      code: 'AMOUNT_INVALID',
      parameters: { field: 'totalFen', min: 1, max: 100_000_000 },
    });
  });

  test('that quantity times price drives beyond the largest is refused', () => {
    expect(refusal({ sku: 'villa', quantity: 2 }).code).toBe('AMOUNT_INVALID');
    expect(refusal({ sku: 'villa', quantity: 9999 }).code).toBe('AMOUNT_INVALID');
  });

  test('that 50 lines of the largest quantity and price drive up is refused, not rounded', () => {
    const cart = Array.from({ length: 50 }, () => ({ sku: 'villa', quantity: 9999 }));

    expect(refusal(...cart).code).toBe('AMOUNT_INVALID');
  });
});

describe('a quantity', () => {
  test.each([1, 9999])('of %i is taken', (quantity) => {
    expect(price({ sku: 'cookie', quantity }).totalFen).toBe(quantity);
  });

  test.each([...notFen, ['10,000', 10_000] as const])('of %s is refused', (_name, quantity) => {
    expect(refusal({ sku: 'latte', quantity: 1 }, { sku: 'latte', quantity })).toEqual({
      code: 'QUANTITY_INVALID',
      parameters: { field: 'items[1].quantity', min: 1, max: 9999 },
    });
  });
});

describe('an amount that the buyer chooses', () => {
  test.each([1, 520, 100_000])(
    'of %i fen is taken within the bounds of the product',
    (amountFen) => {
      expect(price({ sku: 'deposit', quantity: 1, amountFen }).items).toEqual([
        { sku: 'deposit', quantity: 1, unitFen: amountFen },
      ]);
    },
  );

  test.each([...notFen, ['100,001', 100_001] as const])('of %s is refused', (_name, amountFen) => {
    expect(refusal({ sku: 'deposit', quantity: 1, amountFen })).toEqual({
      code: 'AMOUNT_INVALID',
      parameters: { field: 'items[0].amountFen', min: 1, max: 100_000 },
    });
  });

  test('is multiplied by the quantity and refused when that is too much', () => {
    expect(price({ sku: 'deposit', quantity: 3, amountFen: 7 }).totalFen).toBe(21);
    expect(refusal({ sku: 'deposit', quantity: 9999, amountFen: 100_000 }).code).toBe(
      'AMOUNT_INVALID',
    );
  });

  test('stays within what WeChat takes, whatever the catalogue allows', () => {
    expect(refusal({ sku: 'part-payment', quantity: 1, amountFen: 100_000_001 })).toEqual({
      code: 'AMOUNT_INVALID',
      parameters: { field: 'items[0].amountFen', min: 1000, max: 100_000_000 },
    });
  });

  test('cannot be negative even when the catalogue allows it: it would pay for other lines', () => {
    const refund: Product = { sku: 'refund', name: 'Refund', minFen: -5000, maxFen: 5000 };

    expect(refusalOf(() => priceOf(refund, { quantity: 1, amountFen: -1000 }))).toEqual({
      code: 'AMOUNT_INVALID',
      parameters: { field: 'items[0].amountFen', min: 0, max: 5000 },
    });
  });
});

describe('a fixed price', () => {
  test.each<unknown>([1, 2800, null, 0])('is not for the client to set (%s)', (amountFen) => {
    expect(refusal({ sku: 'latte', quantity: 1, amountFen })).toEqual({
      code: 'INVALID_REQUEST',
      parameters: { field: 'items[0].amountFen', problem: '{sku} has a fixed price', sku: 'latte' },
    });
  });

  test.each([
    ['a fraction, though two of it make a whole number', 28.5],
    ['negative', -100],
    ['beyond what can be paid', 100_000_001],
  ])('that is %s is an error of the shop, not of the buyer', (_name, priceFen) => {
    const product: Product = { sku: 'typo', name: 'Typo', priceFen };
    const cart = [
      { sku: 'typo', quantity: 2 },
      { sku: 'villa', quantity: 1 },
    ];

    expect(refusalOf(() => priceCart(cart, new Map([...catalogue, ['typo', product]])))).toEqual({
      code: 'CONFIG_ERROR',
      parameters: {},
    });
  });
});

describe('a description', () => {
  const describeNames = (...names: string[]) => {
    const list = names.map((name, index): Product => ({ sku: `${index}`, name, priceFen: 1 }));
    const cart = list.map(({ sku }) => ({ sku, quantity: 1 }));
    return priceCart(cart, new Map(list.map((product) => [product.sku, product]))).description;
  };

  test('of 127 bytes is whole', () => {
    // 42 Chinese characters of 3 bytes and one letter.
    const name = `${'茶'.repeat(42)}A`;

    expect(describeNames(name)).toBe(name);
  });

  test('of 128 bytes ends between two characters, with an ellipsis, within 127 bytes', () => {
    const name = `${'茶'.repeat(42)}AB`;

    expect(describeNames(name)).toBe(`${'茶'.repeat(41)}…`);
    expect(Buffer.byteLength(describeNames(name))).toBe(126);
  });

  test('cut inside a character of 2 bytes loses that character', () => {
    // 124 bytes are left before the ellipsis: 123 of A, then the first half of é.
    expect(describeNames(`${'A'.repeat(123)}ééé`)).toBe(`${'A'.repeat(123)}…`);
  });

  test('has no blank before the ellipsis', () => {
    expect(describeNames(`${'A'.repeat(122)}  ${'B'.repeat(20)}`)).toBe(`${'A'.repeat(122)} B…`);
    expect(describeNames(`${'A'.repeat(123)} ${'B'.repeat(20)}`)).toBe(`${'A'.repeat(123)}…`);
  });

  test.each([
    ['emoji', '生日🎂蛋糕', '生日蛋糕'],
    ['joined emoji with their joiners', '全家👨‍👩‍👧桶', '全家桶'],
    ['the colour selector of a symbol', '爱心❤️糖', '爱心❤糖'],
    ['rare characters of 4 bytes', '𠮷野家', '野家'],
    ['control characters', 'a\u0000b\u0007c', 'abc'],
    ['half of a surrogate pair', 'a\ud83cb', 'ab'],
  ])('drops %s, which WeChat refuses or garbles', (_name, name, expected) => {
    expect(describeNames(name)).toBe(expected);
  });

  test('shows line breaks and runs of blanks as one blank, and none at the ends', () => {
    expect(describeNames('  iced\n\n latte\t ')).toBe('iced latte');
  });

  test('of a name that has nothing left shows a question mark, since WeChat wants a text', () => {
    expect(describeNames('🎂🎂', '👨‍👩‍👧', ' ')).toBe('?, ?, ?');
  });

  test('is for any names a text that WeChat takes', () => {
    const name = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 12 }), (names) => {
        const description = describeNames(...names);

        expect(Buffer.byteLength(description)).toBeLessThanOrEqual(127);
        expect(description.trim()).toBe(description);
        expect(description).not.toBe('');
        expect(description).not.toMatch(/[\p{Cc}\p{Cs}\u{10000}-\u{10ffff}]/u);
        // Nothing is lost when the text goes over the wire and back.
        expect(Buffer.from(description).toString()).toBe(description);
      }),
    );
  });
});
