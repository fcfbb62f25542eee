/** `POST /v3/pay/transactions/{jsapi,native}` and the partner form (下单). */
import { isDeepStrictEqual } from 'node:util';
import type { SubMerchant } from '../book/credentials.ts';
import { readTermsV3 } from '../book/order-terms.ts';
import type { Order } from '../book/orders.ts';
import { isOpen, isPaid } from '../book/trade-state.ts';
import { nameOfBuyer } from '../book/payer.ts';
import type { Service } from '../host/service.ts';
import { failV3, succeedV3, type V3Failure, type V3Outcome } from './errors.ts';
import { checkJson } from './json-shape.ts';
import { type Json, refuseParties } from './open-request.ts';
import { shapeOfOrder } from './order-shape.ts';

/** The same rules for a number as in v2: identical parameters give a fresh prepay_id, a difference is refused. */
export function placeOrderV3(
  service: Service,
  isPartner: boolean,
  tradeType: 'JSAPI' | 'NATIVE',
  json: unknown,
  namesPublicKey: boolean,
): V3Outcome {
  const misshapen = checkJson(json, shapeOfOrder(isPartner, tradeType));
  if (misshapen) {
    return misshapen;
  }
  const body = json as Json;
  const refused =
    refuseParties(service, isPartner, body) ??
    refuseAppid(service, isPartner, body) ??
    refusePayer(service, isPartner, tradeType, body);
  if (refused) {
    return refused;
  }
  const { orders, book, clock } = service;
  const outTradeNo = String(body['out_trade_no']);
  const request = { ...body, trade_type: tradeType };
  const existing = orders.find(outTradeNo);
  const unusable = existing
    ? refuseAgain(existing, request, clock.now())
    : refuseExpired(body, clock.now());
  if (unusable) {
    return unusable;
  }
  return book.transaction(() => {
    if (!existing) {
      orders.create(outTradeNo, request, 'RSA', namesPublicKey);
    }
    const prepayId = orders.issuePrepayId(outTradeNo);
    return succeedV3(
      tradeType === 'NATIVE'
        ? { code_url: `weixin://wxpay/bizpayurl?pr=${prepayId.slice(-9)}` }
        : { prepay_id: prepayId },
    );
  });
}

function refuseAgain(order: Order, request: Json, nowMs: number): V3Failure | undefined {
  if (isPaid(order)) {
    return failV3('ORDER_PAID');
  }
  if (!isOpen(order)) {
    return failV3('ORDER_CLOSED');
  }
  if (!isDeepStrictEqual(order.request, request)) {
    const differing = [...new Set([...Object.keys(order.request), ...Object.keys(request)])].filter(
      (name) => !isDeepStrictEqual(order.request[name], request[name]),
    );
    return failV3('INVALID_REQUEST', {
      text: '请求重入时，参数与首次请求时不一致。请检查后再试',
      internal: 268498688,
      note:
        order.api === 'v3'
          ? `differs from the first request: ${differing.join(', ')}`
          : 'this number belongs to an order of API v2',
    });
  }
  return order.payUntilMs <= nowMs
    ? failV3('ORDER_CLOSED', { text: '订单已失效', note: 'time_expire has passed' })
    : undefined;
}

/** Less than a minute ahead is lengthened without a word; the past is not. */
function refuseExpired(body: Json, nowMs: number): V3Failure | undefined {
  const endMs = readTermsV3(body).payUntilMs;
  return endMs !== undefined && endMs <= nowMs
    ? failV3('PARAM_ERROR', {
        text: '支付结束时间早于当前时间',
        detail: { field: '/time_expire', issue: 'in the past', location: 'body' },
        note: 'time_expire is in the past',
      })
    : undefined;
}

function findSubMerchant({ account }: Service, body: Json): SubMerchant | undefined {
  return account.subMerchants().find(({ subMchid }) => subMchid === body['sub_mchid']);
}

function refuseAppid(service: Service, isPartner: boolean, body: Json): V3Failure | undefined {
  if (body[isPartner ? 'sp_appid' : 'appid'] !== service.merchant.appid) {
    return failV3('APPID_MCHID_NOT_MATCH', { note: `the appid is ${service.merchant.appid}` });
  }
  const subAppid = body['sub_appid'];
  return subAppid !== undefined && subAppid !== findSubMerchant(service, body)?.subAppid
    ? failV3('APPID_MCHID_NOT_MATCH', { text: 'sub_mchid与sub_appid不匹配' })
    : undefined;
}

function refusePayer(
  { users }: Service,
  isPartner: boolean,
  tradeType: string,
  body: Json,
): V3Failure | undefined {
  if (tradeType === 'NATIVE') {
    return undefined;
  }
  const { sp_openid: spOpenid, sub_openid: subOpenid } = body['payer'] as Json;
  if (isPartner && (spOpenid === undefined) === (subOpenid === undefined)) {
    return failV3('PARAM_ERROR', {
      text: 'sp_openid和sub_openid必须且只能传一个',
      internal: 268501013,
      detail: { field: '/payer', issue: 'exactly one of two', location: 'body' },
      note: 'exactly one of payer.sp_openid and payer.sub_openid is needed',
    });
  }
  if (subOpenid !== undefined && body['sub_appid'] === undefined) {
    return failV3('PARAM_ERROR', {
      text: '传sub_openid时，sub_appid必填',
      detail: { field: '/sub_appid', issue: 'required with sub_openid', location: 'body' },
      note: 'sub_openid needs sub_appid',
    });
  }
  const terms = readTermsV3(body);
  return nameOfBuyer(users, terms) !== undefined
    ? undefined
    : failV3('PARAM_ERROR', {
        text: '无效的openid：appid和openid不匹配',
        note: 'no user of this appid has this openid',
      });
}
