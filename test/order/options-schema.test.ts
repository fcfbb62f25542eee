import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { orderDetail, orderOptions, quoteOptions } from '../../lib/order/options-schema.ts';

const options = {
  goodsTag: 'WXG',
  limitPay: 'no_credit',
  deviceInfo: 'till-3',
  storeInfo: { id: 'shop-1', name: '人民路店', areaCode: '440305', address: '人民路 1 号' },
  receipt: true,
  profitSharing: false,
};

describe.each([
  ['the deployment', orderOptions],
  ['a quote', quoteOptions],
])('the options of %s', (_name, schema) => {
  test('may be all that there are, or none', () => {
    expect(v.parse(schema, options)).toEqual(options);
    expect(v.parse(schema, {})).toEqual({});
  });

  test.each([
    ['goodsTag', 1],
    ['limitPay', 'no_debit'],
    ['storeInfo', { name: 'no id' }],
    ['storeInfo', { id: 'shop-1', city: 'Shenzhen' }],
    ['receipt', 'yes'],
    ['profitSharing', 'Y'],
  ])('may not say of %s: %j', (name, value) => {
    expect(v.is(schema, { [name]: value })).toBe(false);
  });
});

test('a name that is misspelt is refused of the deployment and not looked at in a quote', () => {
  expect(v.is(orderOptions, { goodstag: 'WXG' })).toBe(false);
  expect(v.parse(quoteOptions, { goodstag: 'WXG', outTradeNo: 'quote-0001' })).toEqual({});
});

describe('the detail of a quote', () => {
  const goods = { merchantGoodsId: 'cake', quantity: 1, unitPriceFen: 9900 };

  test('has at least one line', () => {
    expect(v.is(orderDetail, { goodsDetail: [goods] })).toBe(true);
    expect(v.is(orderDetail, { goodsDetail: [] })).toBe(false);
    expect(v.is(orderDetail, {})).toBe(false);
  });

  test.each([{ quantity: '1' }, { merchantGoodsId: undefined }, { colour: 'red' }])(
    'has no line like %j',
    (changes) => {
      expect(v.is(orderDetail, { goodsDetail: [{ ...goods, ...changes }] })).toBe(false);
    },
  );
});
