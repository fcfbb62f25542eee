/** The request that creates an order (JSAPI 下单), kept as the exact text that is sent and signed. */
import type { OrderDetail, StoreInfo } from '../../order/options.ts';
import type { StoredRequestOf } from '../../order/stored-request.ts';
import { paymentNotificationUrl } from '../notification-path.ts';
import type { PrepayOrder } from '../operations.ts';
import { toRfc3339 } from './protocol/time.ts';

const PATH = '/v3/pay/transactions/jsapi';
const PARTNER_PATH = '/v3/pay/partner/transactions/jsapi';

/** WeChat refuses fields it does not know and `null`; what is undefined here is left out. */
export function buildPrepayRequest(order: PrepayOrder): StoredRequestOf<'v3'> {
  const { options = {} } = order;
  const body = {
    ...parties(order),
    description: order.description,
    out_trade_no: order.outTradeNo,
    time_expire: toRfc3339(order.expiresAtEpochSeconds),
    attach: order.attach,
    notify_url: paymentNotificationUrl(order.notifyBaseUrl, { ...order, apiVersion: 'v3' }),
    goods_tag: options.goodsTag,
    support_fapiao: options.receipt || undefined,
    limit_pay: options.limitPay && [options.limitPay],
    amount: { total: order.totalFen, currency: 'CNY' },
    payer: payer(order),
    detail: order.detail && detail(order.detail),
    scene_info: {
      payer_client_ip: order.clientIp,
      device_id: options.deviceInfo,
      store_info: options.storeInfo && storeInfo(options.storeInfo),
    },
    settle_info:
      options.profitSharing === undefined ? undefined : { profit_sharing: options.profitSharing },
  };
  return {
    apiVersion: 'v3',
    path: order.subMchid === undefined ? PATH : PARTNER_PATH,
    body: JSON.stringify(body),
  };
}

function parties({ appid, mchid, subMchid, spAppid }: PrepayOrder) {
  return subMchid === undefined
    ? { appid, mchid }
    : {
        sp_appid: spAppid ?? appid,
        sp_mchid: mchid,
        sub_appid: spAppid === undefined ? undefined : appid,
        sub_mchid: subMchid,
      };
}

function payer({ subMchid, spAppid, openid }: PrepayOrder) {
  if (subMchid === undefined) {
    return { openid };
  }
  return spAppid === undefined ? { sp_openid: openid } : { sub_openid: openid };
}

function detail({ costPriceFen, receiptId, goodsDetail }: OrderDetail) {
  return {
    cost_price: costPriceFen,
    invoice_id: receiptId,
    goods_detail: goodsDetail.map((goods) => ({
      merchant_goods_id: goods.merchantGoodsId,
      wechatpay_goods_id: goods.wechatpayGoodsId,
      goods_name: goods.goodsName,
      quantity: goods.quantity,
      unit_price: goods.unitPriceFen,
    })),
  };
}

function storeInfo({ id, name, areaCode, address }: StoreInfo) {
  return { id, name, area_code: areaCode, address };
}
