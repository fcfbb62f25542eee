/** `/pay/unifiedorder` (统一下单): makes an order, or gives another prepay_id for the same one. */
import { fail, failAtGateway, type Outcome, succeed } from './errors.ts';
import { checkOrderRequest, checkTimeExpire } from './order-request.ts';
import type { OrderRequest, SignType } from '../book/order-terms.ts';
import { isOpen, isPaid } from '../book/trade-state.ts';
import type { Users } from '../book/users.ts';
import type { Service } from '../host/service.ts';
import type { Fields } from './wire.ts';

/**
 * The number is the identity of an order: the same parameters again (nonce_str and sign aside) give a
 * fresh prepay_id, any difference is refused, and so is a number that is paid or closed.
 */
export function placeOrder(service: Service, fields: Fields, signType: SignType): Outcome {
  const { orders, users, clock } = service;
  const refused = checkOrderRequest(fields);
  if (refused) {
    return refused;
  }
  const stranger = refuseStrangePayer(users, fields);
  if (stranger) {
    return stranger;
  }
  const { nonce_str: _nonce, sign: _sign, ...request } = fields;
  const outTradeNo = fields['out_trade_no'] ?? '';
  const existing = orders.find(outTradeNo);
  if (existing && isPaid(existing)) {
    return fail('ORDERPAID');
  }
  if (existing && !isOpen(existing)) {
    return fail('ORDERCLOSED');
  }
  if (existing && (existing.api === 'v3' || !hasSameParameters(existing.request, request))) {
    return fail('INVALID_REQUEST', '201 商户订单号重复');
  }
  const tooShort = checkTimeExpire(fields['time_expire'], clock.now(), existing !== undefined);
  if (tooShort) {
    return tooShort;
  }
  return service.book.transaction(() => {
    if (!existing) {
      orders.create(outTradeNo, request, signType);
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

function refuseStrangePayer(users: Users, fields: Fields): Outcome | undefined {
  const { openid, sub_openid: subOpenid, sub_appid: subAppid } = fields;
  if (openid && users.nameOf(openid) === undefined) {
    return failAtGateway('appid and openid not match', 'no user of this appid has this openid');
  }
  if (subOpenid && users.nameOfSubOpenid(subOpenid, subAppid ?? '') === undefined) {
    const note = 'no user of this sub_appid has this sub_openid';
    return failAtGateway('sub_appid and sub_openid not match', note);
  }
  return undefined;
}

/** An empty element says as little as an absent one. */
function hasSameParameters(a: OrderRequest, b: OrderRequest): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => (a[name] ?? '') === (b[name] ?? ''));
}
