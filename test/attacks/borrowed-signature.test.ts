import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, refusedWith } from '../support/notified-shop.ts';
import { APPID, MCHID, OPENID } from '../support/sample-orders.ts';
import { paidFields, signed, signV2, without, xmlOf } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();

/** The one signature under our key that every buyer is given. */
const requestPayment = {
  appId: APPID,
  timeStamp: '1772330400',
  nonceStr: '5d2b6c2a8db53831f7eda20af46e531c',
  package: 'prepay_id=wx01100000000000000000000000000000',
  signType: 'HMAC-SHA256',
};
const paySign = signV2(requestPayment);

/** What we send to WeChat ourselves, under the same key. */
const unifiedOrder = {
  appid: APPID,
  mch_id: MCHID,
  sign_type: 'HMAC-SHA256',
  body: '拿铁',
  out_trade_no: 'order-0001',
  fee_type: 'CNY',
  total_fee: '2800',
  trade_type: 'JSAPI',
  openid: OPENID,
  nonce_str: 'n',
};

describe('a genuine signature of another message', () => {
  test.each<[string, string, string]>([
    [
      'that of wx.requestPayment on a payment',
      xmlOf({ ...paidFields(), sign: paySign }),
      'SIGNATURE_INVALID',
    ],
    [
      'that of wx.requestPayment on its own fields',
      xmlOf({ ...requestPayment, sign: paySign }),
      'MALFORMED_MESSAGE',
    ],
    [
      'that of wx.requestPayment on its fields and a payment',
      xmlOf({ ...requestPayment, ...paidFields(), sign: paySign }),
      'SIGNATURE_INVALID',
    ],
    [
      'that of our own order on a payment',
      xmlOf({ ...paidFields(), sign: signV2(unifiedOrder) }),
      'SIGNATURE_INVALID',
    ],
    ['that of our own order, sent back to us', xmlOf(signed(unifiedOrder)), 'MALFORMED_MESSAGE'],
    [
      'that of the answer to our order',
      xmlOf(
        signed({
          ...without(paidFields(), 'transaction_id', 'time_end', 'total_fee'),
          prepay_id: 'wx01',
        }),
      ),
      'MALFORMED_MESSAGE',
    ],
    [
      'that of a query of an unpaid order',
      xmlOf(
        signed({ ...without(paidFields(), 'transaction_id', 'time_end'), trade_state: 'NOTPAY' }),
      ),
      'MALFORMED_MESSAGE',
    ],
  ])('does not make a payment: %s', async (_, xml, code) => {
    const shop = await openNotifiedShop(await emptyTable());

    expect((await shop.deliver(xml)).returned).toEqual(refusedWith(code));
    expect(shop.operations).toEqual([]);
  });
});

describe('the fields of a genuine notification', () => {
  // `name=value&…` does not say where a value ends, so these have the same text to sign.
  test('drawn together into one value lack what a payment needs', async () => {
    const shop = await openNotifiedShop(await emptyTable());
    const genuine = signed(paidFields());
    const drawn = {
      ...without(genuine, 'nonce_str', 'openid', 'out_trade_no'),
      mch_id: `${MCHID}&nonce_str=${genuine['nonce_str']}&openid=${OPENID}&out_trade_no=order-0001`,
    };

    expect((await shop.deliver(xmlOf(drawn))).returned).toEqual(refusedWith('MALFORMED_MESSAGE'));
    expect(shop.operations).toEqual([]);
  });

  test('cannot be split so that a buyer’s attach becomes the amount', async () => {
    const shop = await openNotifiedShop(await emptyTable(), { order: { totalFen: 280_000 } });
    const genuine = signed(paidFields({ total_fee: '1', attach: 'x&total_fee=280000' }));
    const split = { ...genuine, attach: 'x', total_fee: '280000' };

    expect((await shop.deliver(xmlOf(split))).statusCode).toBe(401);
    expect((await shop.deliver(xmlOf(genuine))).statusCode).toBe(409);
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'NOTPAY' } });
  });
});
