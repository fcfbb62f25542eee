import { describe, expect, test } from 'vitest';
import {
  assertOrderDetail,
  assertOrderOptions,
  detailOfCart,
  type OrderDetail,
  type OrderOptions,
} from '../../lib/order/options.ts';
import type { Product } from '../../lib/order/pricing.ts';
import { refusalOf } from '../support/thrown.ts';

const refusedOptions = (options: OrderOptions) =>
  refusalOf(() => assertOrderOptions('quote', options));
const goods = { merchantGoodsId: 'latte', quantity: 1, unitPriceFen: 2800 };
const refusedDetail = (detail: Partial<OrderDetail>) =>
  refusalOf(() => assertOrderDetail('quote.detail', { goodsDetail: [goods], ...detail }));

describe('options of an order', () => {
  test('are taken up to WeChat’s limits', () => {
    const options: OrderOptions = {
      // Ten Chinese characters take 30 bytes.
      goodsTag: '优惠优惠优惠优惠优惠01',
      deviceInfo: 'd'.repeat(32),
      limitPay: 'no_credit',
      receipt: true,
      profitSharing: false,
      storeInfo: { id: 's'.repeat(32), name: '人民路店', areaCode: '440305', address: '1 号' },
    };

    expect(() => assertOrderOptions('quote', options)).not.toThrow();
    expect(() => assertOrderOptions('quote', {})).not.toThrow();
    expect(() => assertOrderOptions('quote', { storeInfo: { id: 's' } })).not.toThrow();
  });

  test.each<[string, OrderOptions, number]>([
    ['goodsTag', { goodsTag: '优'.repeat(11) }, 32],
    ['deviceInfo', { deviceInfo: 'd'.repeat(33) }, 32],
    ['storeInfo.id', { storeInfo: { id: 's'.repeat(33) } }, 32],
    ['storeInfo.name', { storeInfo: { id: 's', name: '店'.repeat(81) } }, 240],
    ['storeInfo.address', { storeInfo: { id: 's', address: '号'.repeat(81) } }, 240],
    ['storeInfo', { storeInfo: { id: 's', name: '店'.repeat(40), address: '号'.repeat(40) } }, 240],
  ])('are refused beyond: %s', (field, options, maxBytes) => {
    expect(refusedOptions(options)).toEqual({
      code: 'TEXT_TOO_LONG',
      parameters: { field: `quote.${field}`, maxBytes },
    });
  });

  test.each<[string, OrderOptions]>([
    ['goodsTag', { goodsTag: '😀' }],
    ['goodsTag', { goodsTag: '' }],
    ['deviceInfo', { deviceInfo: ' till' }],
    ['storeInfo.name', { storeInfo: { id: 's', name: '店\n' } }],
    ['storeInfo.areaCode', { storeInfo: { id: 's', areaCode: '44030' } }],
  ])('are refused with what WeChat refuses: %s %j', (field, options) => {
    expect(refusedOptions(options)).toMatchObject({
      code: 'INVALID_REQUEST',
      parameters: { field: `quote.${field}` },
    });
  });
});

describe('the detail of an order', () => {
  test('is taken with all that it may have', () => {
    const detail = {
      costPriceFen: 3000,
      receiptId: 'receipt-1',
      goodsDetail: [{ ...goods, wechatpayGoodsId: '1001', goodsName: '拿铁' }],
    };

    expect(() => assertOrderDetail('quote.detail', detail)).not.toThrow();
  });

  test.each<[string, Partial<OrderDetail>, string]>([
    ['costPriceFen', { costPriceFen: 28.5 }, 'AMOUNT_INVALID'],
    ['receiptId', { receiptId: '😀' }, 'INVALID_REQUEST'],
    ['receiptId', { receiptId: 'r'.repeat(33) }, 'TEXT_TOO_LONG'],
    [
      'goodsDetail[0].merchantGoodsId',
      { goodsDetail: [{ ...goods, merchantGoodsId: '拿铁' }] },
      'INVALID_REQUEST',
    ],
    [
      'goodsDetail[1].wechatpayGoodsId',
      { goodsDetail: [goods, { ...goods, wechatpayGoodsId: '' }] },
      'INVALID_REQUEST',
    ],
    [
      'goodsDetail[0].goodsName',
      { goodsDetail: [{ ...goods, goodsName: '拿'.repeat(86) }] },
      'TEXT_TOO_LONG',
    ],
    ['goodsDetail[0].quantity', { goodsDetail: [{ ...goods, quantity: 0 }] }, 'QUANTITY_INVALID'],
    ['goodsDetail[0].quantity', { goodsDetail: [{ ...goods, quantity: 1.5 }] }, 'QUANTITY_INVALID'],
    [
      'goodsDetail[0].unitPriceFen',
      { goodsDetail: [{ ...goods, unitPriceFen: 0.5 }] },
      'AMOUNT_INVALID',
    ],
  ])('is refused by the name of %s', (field, detail, code) => {
    expect(refusedDetail(detail)).toMatchObject({
      code,
      parameters: { field: `quote.detail.${field}` },
    });
  });

  test('counts goods in whole numbers, which are no fen, up to a truckload', () => {
    const most = { goodsDetail: [{ ...goods, quantity: 100_000_000 }] };
    expect(() => assertOrderDetail('quote.detail', most)).not.toThrow();
    expect(refusedDetail({ goodsDetail: [{ ...goods, quantity: 100_000_001 }] })).toEqual({
      code: 'QUANTITY_INVALID',
      parameters: { field: 'quote.detail.goodsDetail[0].quantity', min: 1, max: 100_000_000 },
    });
  });

  test('takes names of 256 bytes and no more', () => {
    const named = (goodsName: string) => ({ goodsDetail: [{ ...goods, goodsName }] });
    expect(() => assertOrderDetail('quote.detail', named('n'.repeat(256)))).not.toThrow();
    expect(refusedDetail(named('n'.repeat(257)))).toMatchObject({ code: 'TEXT_TOO_LONG' });
  });

  test('goes by the merchant’s own goods id where WeChat has none', () => {
    expect(
      refusedDetail({ goodsDetail: [{ ...goods, wechatpayGoodsId: 'w'.repeat(33) }] }),
    ).toEqual({
      code: 'INVALID_REQUEST',
      parameters: {
        field: 'quote.detail.goodsDetail[0].wechatpayGoodsId',
        problem: '1 to 32 letters, digits, _ or -',
      },
    });
    expect(() => assertOrderDetail('quote.detail', { goodsDetail: [goods] })).not.toThrow();
  });

  test('is refused when it is longer than WeChat takes', () => {
    const goodsDetail = Array.from({ length: 100 }, () => goods);

    expect(refusedDetail({ goodsDetail })).toEqual({
      code: 'TEXT_TOO_LONG',
      parameters: { field: 'quote.detail', maxBytes: 6000 },
    });
  });
});

test('a division code of another form is told its form', () => {
  expect(refusedOptions({ storeInfo: { id: 's', areaCode: '4403051' } })).toEqual({
    code: 'INVALID_REQUEST',
    parameters: { field: 'quote.storeInfo.areaCode', problem: '6 digits' },
  });
});

describe('the detail of a cart', () => {
  const catalogue = (...products: { sku: string; name: string }[]): ReadonlyMap<string, Product> =>
    new Map(products.map((product) => [product.sku, { ...product, priceFen: 2800 }]));
  const item = (sku: string, unitFen = 2800) => ({ sku, quantity: 2, unitFen });

  test('names what was priced', () => {
    expect(detailOfCart([item('latte')], catalogue({ sku: 'latte', name: '拿铁' }))).toEqual({
      goodsDetail: [
        { merchantGoodsId: 'latte', goodsName: '拿铁', quantity: 2, unitPriceFen: 2800 },
      ],
    });
  });

  test('is cut at 60 bytes to the byte, and names what costs a fen', () => {
    const named = catalogue({ sku: 'a', name: 'n'.repeat(61) });

    expect(detailOfCart([item('a', 1)], named)).toEqual({
      goodsDetail: [
        { merchantGoodsId: 'a', goodsName: 'n'.repeat(60), quantity: 2, unitPriceFen: 1 },
      ],
    });
  });

  test('has names that WeChat takes: no emoji, no more than 60 bytes, no half characters', () => {
    const names = catalogue(
      { sku: 'a', name: '拿铁 ☕️😀 大杯' },
      { sku: 'b', name: '超'.repeat(50) },
      { sku: 'c', name: '😀' },
    );

    expect(
      detailOfCart([item('a'), item('b'), item('c'), item('d')], names)?.goodsDetail.map(
        ({ goodsName }) => goodsName,
      ),
    ).toEqual(['拿铁 ☕ 大杯', '超'.repeat(20), '?', 'd']);
  });

  test.each([
    ['a sku that is no goods id', [item('拿铁')]],
    ['a sku of 33 letters', [item('s'.repeat(33))]],
    ['something free of charge', [item('latte'), item('gift', 0)]],
    ['more than WeChat takes', Array.from({ length: 80 }, () => item('s'.repeat(32)))],
  ])('is left out with %s', (_, items) => {
    expect(detailOfCart(items, catalogue())).toBe(undefined);
  });
});
