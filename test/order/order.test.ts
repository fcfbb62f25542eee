import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assertFen,
  assertLifetime,
  assertOutTradeNo,
  assertText,
  digest,
  isOpen,
  isPaid,
  type OrderState,
  orderNumberFor,
} from '../../lib/order/order.ts';
import { APPID, OPENID } from '../support/sample-orders.ts';
import { refusalOf } from '../support/thrown.ts';

const buyer = { merchantKey: '', appid: APPID, openid: OPENID };

describe('the number of an order made under an idempotency key', () => {
  test('is the start of the SHA-256 of scope, appid, openid and key', () => {
    // printf '["shop-table","wx8888888888888888","oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","tap-1"]' | sha256sum
    expect(orderNumberFor('shop-table', buyer, 'tap-1')).toBe('477fb500073e14ada7317cd43166760c');
  });

  test('of another than the first merchant digests its key as well', () => {
    // printf '["shop-table","wx8888888888888888","oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","tap-1","tea"]' | sha256sum
    expect(orderNumberFor('shop-table', { ...buyer, merchantKey: 'tea' }, 'tap-1')).toBe(
      '75b5076ce79aca25d733b5a81af0cd2d',
    );
  });

  test('is one that WeChat takes, and another for every other key, buyer, mini-program, merchant and table', () => {
    const text = fc.string({ maxLength: 40 });
    const merchantKey = fc.oneof(fc.constant(''), fc.stringMatching(/^[a-z0-9]{3,16}$/));
    const buyers = fc.record({ merchantKey, appid: text, openid: text });
    const parts = fc.tuple(text, buyers, text);
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));

        expect(orderNumberFor(...a)).toMatch(/^[0-9a-f]{32}$/);
        expect(orderNumberFor(...a)).not.toBe(orderNumberFor(...b));
      }),
    );
  });

  test('does not run its parts together', () => {
    const numberFor = (appid: string, openid: string) =>
      orderNumberFor('t', { merchantKey: '', appid, openid }, 'k');

    expect(numberFor('wx1', 'o2')).not.toBe(numberFor('wx1o', '2'));
  });
});

test('a digest is the SHA-256 of the data as JSON, in hex', () => {
  // printf '{"cart":[["latte",1,null]]}' | sha256sum
  expect(digest({ cart: [['latte', 1, undefined]], attach: undefined })).toBe(
    '7ec4291fd101765b02fe19245f81a55cea26a2fb190e0c69b30e1a061800a8ce',
  );
});

describe('an amount', () => {
  test.each([1, 2800, 100_000_000])('of %i fen is taken', (fen) => {
    expect(() => assertFen('totalFen', fen)).not.toThrow();
  });

  test.each<unknown>([0, -1, 100_000_001, 0.1 + 0.2, '100', null, [100], 1e21, Number.NaN])(
    'of %s is refused with the bounds',
    (value) => {
      expect(refusalOf(() => assertFen('totalFen', value))).toEqual({
        code: 'AMOUNT_INVALID',
        parameters: { field: 'totalFen', min: 1, max: 100_000_000 },
      });
    },
  );

  test('is held to narrower bounds where they are given', () => {
    expect(() => assertFen('amountFen', 10, 10, 20)).not.toThrow();
    expect(() => assertFen('amountFen', 20, 10, 20)).not.toThrow();
    expect(refusalOf(() => assertFen('amountFen', 9, 10, 20)).parameters).toEqual({
      field: 'amountFen',
      min: 10,
      max: 20,
    });
    expect(refusalOf(() => assertFen('amountFen', 21, 10, 20)).code).toBe('AMOUNT_INVALID');
  });
});

describe('a lifetime', () => {
  test.each([360, 1800, 604_800])('of %i seconds is taken', (seconds) => {
    expect(() => assertLifetime('quote.lifetimeSeconds', seconds)).not.toThrow();
  });

  test.each([359, 604_801, 600.5, Number.NaN])('of %d seconds is refused', (seconds) => {
    expect(refusalOf(() => assertLifetime('quote.lifetimeSeconds', seconds))).toEqual({
      code: 'INVALID_REQUEST',
      parameters: {
        field: 'quote.lifetimeSeconds',
        problem: 'whole seconds from 360 to 604800',
      },
    });
  });
});

describe('an order number', () => {
  test.each(['123456', 'shop_2026-03-01', 'A'.repeat(32)])('like %s is taken', (number) => {
    expect(() => assertOutTradeNo('quote.outTradeNo', number)).not.toThrow();
  });

  test.each([
    ['5 characters', '12345'],
    ['33 characters', 'A'.repeat(33)],
    ['a blank', 'order 1'],
    ['a line break at its end', 'order-1\n'],
    ['a #', 'ORDER#1'],
    ['Chinese', '订单一二三四'],
    ['full-width digits', '１２３４５６'],
    ['nothing', ''],
  ])('of %s is refused', (_name, number) => {
    expect(refusalOf(() => assertOutTradeNo('quote.outTradeNo', number))).toEqual({
      code: 'INVALID_REQUEST',
      parameters: { field: 'quote.outTradeNo', problem: '6 to 32 letters, digits, _ or -' },
    });
  });
});

describe('a text for WeChat', () => {
  test.each(['拿铁', 'Latte, large', '茶'.repeat(42), 'A'.repeat(127)])(
    'like %s is taken',
    (text) => {
      expect(() => assertText('attach', text)).not.toThrow();
    },
  );

  test.each([
    ['128 letters', 'A'.repeat(128)],
    ['43 Chinese characters (129 bytes)', '茶'.repeat(43)],
  ])('of %s is too long', (_name, text) => {
    expect(refusalOf(() => assertText('attach', text))).toEqual({
      code: 'TEXT_TOO_LONG',
      parameters: { field: 'attach', maxBytes: 127 },
    });
  });

  test.each(['', ' ', ' latte', 'latte ', 'latte\n'])(
    'that is empty or has blanks at its ends is refused (%j)',
    (text) => {
      expect(refusalOf(() => assertText('attach', text))).toEqual({
        code: 'INVALID_REQUEST',
        parameters: {
          field: 'attach',
          problem: 'empty, or with blanks at its ends, which some signers trim',
        },
      });
    },
  );

  test.each(['🎂', '生日🎂蛋糕', '爱心❤️糖', 'a\u0000b', 'a\nb', 'a\ud83cb'])(
    'with emoji or control characters is refused (%j)',
    (text) => {
      expect(refusalOf(() => assertText('attach', text))).toEqual({
        code: 'INVALID_REQUEST',
        parameters: {
          field: 'attach',
          problem: 'emoji and control characters are not allowed',
        },
      });
    },
  );
});

test.each<[OrderState, boolean, boolean]>([
  ['NOTPAY', true, false],
  ['SUCCESS', false, true],
  ['REFUND', false, true],
  ['CLOSED', false, false],
])('an order that is %s is open: %s, paid: %s', (tradeState, open, paid) => {
  expect(isOpen({ tradeState })).toBe(open);
  expect(isPaid({ tradeState })).toBe(paid);
});
