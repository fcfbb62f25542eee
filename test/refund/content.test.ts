import { describe, expect, test } from 'vitest';
import { assertRefundGoods, assertRefundReason } from '../../lib/refund/content.ts';
import type { RefundGoods } from '../../lib/refund/refund.ts';

describe('the reason of a refund', () => {
  test.each(['少了一杯', 'a'.repeat(80), '退'.repeat(26)])('may be %s', (reason) => {
    expect(() => assertRefundReason('reason', reason)).not.toThrow();
  });

  test.each([
    ['a'.repeat(81), 'TEXT_TOO_LONG', { field: 'reason', maxBytes: 80 }],
    ['退'.repeat(27), 'TEXT_TOO_LONG', { field: 'reason', maxBytes: 80 }],
    ['', 'INVALID_REQUEST', { field: 'reason' }],
    ['少了\n一杯', 'INVALID_REQUEST', { field: 'reason' }],
    ['😭', 'INVALID_REQUEST', { field: 'reason' }],
  ])('may not be %j', (reason, code, parameters) => {
    expect(() => assertRefundReason('reason', reason)).toThrow(
      expect.objectContaining({ code, parameters: expect.objectContaining(parameters) }),
    );
  });
});

describe('the goods of a refund', () => {
  const latte: RefundGoods = {
    merchantGoodsId: 'latte',
    goodsName: '拿铁',
    unitPriceFen: 400,
    refundFen: 800,
    quantity: 2,
  };
  const cup: RefundGoods = {
    merchantGoodsId: 'cup',
    wechatpayGoodsId: '1001',
    unitPriceFen: 100,
    refundFen: 100,
    quantity: 1,
  };

  test.each([800, 900, 1000])('may be worth less than the refund or all of it: %i', (refundFen) => {
    const goods = refundFen === 800 ? [latte] : [latte, cup];

    expect(() => assertRefundGoods('goods', goods, refundFen)).not.toThrow();
  });

  test.each<[string, readonly RefundGoods[], string]>([
    ['no goods at all', [], 'goods'],
    ['more than the refund', [latte, cup], 'goods'],
    ['a nameless kind', [{ ...latte, merchantGoodsId: '' }], 'goods[0].merchantGoodsId'],
    ['an odd number', [{ ...cup, wechatpayGoodsId: '拿' }], 'goods[0].wechatpayGoodsId'],
    ['a long name', [{ ...cup, goodsName: '杯'.repeat(86) }], 'goods[0].goodsName'],
    ['no piece', [cup, { ...cup, quantity: 0 }], 'goods[1].quantity'],
    ['half a fen', [{ ...cup, unitPriceFen: 0.5 }], 'goods[0].unitPriceFen'],
    ['no money', [{ ...cup, refundFen: 0 }], 'goods[0].refundFen'],
    ['money back', [latte, { ...cup, refundFen: -100 }], 'goods[1].refundFen'],
  ])('may not be %s', (_, goods, field) => {
    expect(() => assertRefundGoods('goods', goods, 899)).toThrow(
      expect.objectContaining({ parameters: expect.objectContaining({ field }) }),
    );
  });
});
