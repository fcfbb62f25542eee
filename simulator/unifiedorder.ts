/** `/pay/unifiedorder` (统一下单): makes an order, or gives another prepay_id for the same one. */
import { fail, failAtGateway, type Outcome, succeed } from './pay-errors.ts';
import { checkOrderRequest, checkTimeExpire } from './order-request.ts';
import type { Wechat } from './wechat.ts';
import type { Fields, SignType } from './wire.ts';

/**
 * The number is the identity of an order: the same parameters again (nonce_str and sign aside) give a
 * fresh prepay_id, any difference is refused, and so is a number that is paid or closed.
 */
export function placeOrder(wechat: Wechat, fields: Fields, signType: SignType): Outcome {
  const { orders, users, clock } = wechat;
  const refused = checkOrderRequest(fields);
  if (refused) {
    return refused;
  }
  const openid = fields['openid'];
  if (openid && users.nameOf(openid) === undefined) {
    return failAtGateway('appid and openid not match', 'no user of this appid has this openid');
  }
  const { nonce_str: _nonce, sign: _sign, ...request } = fields;
  const outTradeNo = fields['out_trade_no'] ?? '';
  const existing = orders.find(outTradeNo);
  if (existing?.tradeState === 'SUCCESS') {
    return fail('ORDERPAID');
  }
  if (existing?.tradeState === 'CLOSED') {
    return fail('ORDERCLOSED');
  }
  if (existing && !hasSameParameters(existing.request, request)) {
    return fail('INVALID_REQUEST', '201 商户订单号重复');
  }
  const tooShort = checkTimeExpire(fields['time_expire'], clock.now(), existing !== undefined);
  if (tooShort) {
    return tooShort;
  }
  return wechat.book.transaction(() => {
    if (!existing) {
      orders.create(request, signType);
    }
    const prepayId = orders.issuePrepayId(outTradeNo);
    const tradeType = fields['trade_type'] ?? '';
    return succeed({
      trade_type: tradeType,
      prepay_id: prepayId,
      ...(tradeType === 'NATIVE'
        ? { code_url: `weixin://wxpay/bizpayurl?pr=${prepayId.slice(-9)}` }
        : {}),
    });
  });
}

/** An empty element says as little as an absent one. */
function hasSameParameters(a: Fields, b: Fields): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => (a[name] ?? '') === (b[name] ?? ''));
}
