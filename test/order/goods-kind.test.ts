import { describe, expect, test } from 'vitest';
import {
  assertNoVirtualProduct,
  isGoodsKind,
  keptKind,
  virtualQuoteRefused,
} from '../../lib/order/goods-kind.ts';
import { refusalOf } from '../support/thrown.ts';

describe('a kind of goods', () => {
  test.each(['physical', 'service', 'virtual'])('can be %s', (kind) => {
    expect(isGoodsKind(kind)).toBe(true);
  });

  test.each(['', 'Virtual', 'digital', 'toString'])('cannot be "%s"', (kind) => {
    expect(isGoodsKind(kind)).toBe(false);
  });

  test('is kept unless it is physical, which nothing says as well', () => {
    expect([keptKind(undefined), keptKind('physical')]).toEqual([undefined, undefined]);
    expect([keptKind('service'), keptKind('virtual')]).toEqual(['service', 'virtual']);
  });
});

describe('a cart', () => {
  const catalogue = new Map([
    ['latte', {}],
    ['deposit', { kind: 'service' }],
    ['coins', { kind: 'virtual' }],
  ] as const);
  const check = (...skus: string[]) =>
    assertNoVirtualProduct(
      skus.map((sku) => ({ sku })),
      catalogue,
    );

  test.each([[[]], [['latte', 'deposit']], [['unknown']]])('of %j is taken', (skus) => {
    expect(() => check(...skus)).not.toThrow();
  });

  test('with a virtual product is refused by its name', () => {
    expect(refusalOf(() => check('latte', 'coins', 'deposit'))).toEqual({
      code: 'VIRTUAL_GOODS_NOT_ALLOWED',
      parameters: { problem: 'the product {sku} is virtual', sku: 'coins' },
    });
  });
});

test('a quote for virtual goods is refused without a name', () => {
  expect(
    refusalOf(() => {
      throw virtualQuoteRefused();
    }),
  ).toEqual({
    code: 'VIRTUAL_GOODS_NOT_ALLOWED',
    parameters: { problem: 'the quote is for virtual goods' },
  });
});
