/** The documented fields of `/v3/pay/transactions/{jsapi,native}` and of the partner endpoints. */
import type { Shape } from './json-shape.ts';
import {
  fen,
  group,
  NOTIFY_URL,
  type ObjectShape,
  OUT_TRADE_NO,
  required,
  type ShapeFields as Fields,
  SUB_MERCHANT_NUMBER,
  text,
} from './shape-parts.ts';

const MCHID = { pattern: /^\d+$/ };
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

const GOODS: Shape = group('单品', {
  merchant_goods_id: required(text('商户侧商品编码', 32)),
  wechatpay_goods_id: text('微信支付商品编码', 32),
  goods_name: text('商品名称', 256),
  quantity: required({ type: 'integer', label: '商品数量', min: 1 }),
  unit_price: required(fen('商品单价')),
});

const LIMITS: Shape = text('指定支付方式', 32, {
  pattern: /^(no_balance|no_credit|no_debit|balance_only)$/,
});

const COMMON: Fields = {
  description: required(text('商品描述', 127, { min: 1 })),
  out_trade_no: required(OUT_TRADE_NO),
  time_expire: text('支付结束时间', 64, { pattern: RFC3339 }),
  attach: text('商户数据包', 128),
  notify_url: required(text('商户回调地址', 255, { pattern: NOTIFY_URL })),
  goods_tag: text('订单优惠标记', 32),
  support_fapiao: { type: 'boolean', label: '电子发票入口开放标识' },
  limit_pay: { type: 'array', label: '指定支付方式', min: 1, max: 4, item: LIMITS },
  amount: required(
    group('订单金额', {
      total: required(fen('总金额', 1)),
      currency: text('货币类型', 16, { pattern: /^CNY$/ }),
    }),
  ),
  detail: group('优惠功能', {
    cost_price: fen('订单原价'),
    invoice_id: text('商品小票ID', 32),
    goods_detail: { type: 'array', label: '单品列表', min: 1, max: 6000, item: GOODS },
  }),
  scene_info: group('场景信息', {
    payer_client_ip: required(text('用户终端IP', 45, { pattern: /^[0-9a-fA-F.:]+$/ })),
    device_id: text('商户端设备号', 32),
    store_info: group('商户门店信息', {
      id: required(text('门店编号', 32)),
      name: text('门店名称', 256),
      area_code: text('地区编码', 32),
      address: text('详细地址', 512),
    }),
  }),
  settle_info: group('结算信息', {
    profit_sharing: { type: 'boolean', label: '分账标识' },
  }),
};

const MERCHANT_NUMBER = required(text('商户号', 32, MCHID));
const PROVIDER_NUMBER = required(text('服务商户号', 32, MCHID));

const DIRECT: Fields = {
  appid: required(text('公众账号ID', 32)),
  mchid: MERCHANT_NUMBER,
};

const PARTNER: Fields = {
  sp_appid: required(text('服务商公众账号ID', 32)),
  sp_mchid: PROVIDER_NUMBER,
  sub_appid: text('子商户公众账号ID', 32),
  sub_mchid: SUB_MERCHANT_NUMBER,
};

const PAYER = required(group('支付者', { openid: required(text('用户标识', 128)) }));
const PARTNER_PAYER = required(
  group('支付者', {
    sp_openid: text('用户服务标识', 128),
    sub_openid: text('用户子标识', 128),
  }),
);

/** Body of a new order. NATIVE names no payer. */
export function shapeOfOrder(isPartner: boolean, tradeType: string): ObjectShape {
  const payer = isPartner ? PARTNER_PAYER : PAYER;
  const fields = {
    ...(isPartner ? PARTNER : DIRECT),
    ...COMMON,
    ...(tradeType === 'JSAPI' ? { payer } : {}),
  };
  return { type: 'object', label: '订单', fields };
}

/** Body of a close, and the query string of a query. */
export const shapeOfParties = (isPartner: boolean): ObjectShape => ({
  type: 'object',
  label: '商户',
  fields: isPartner
    ? { sp_mchid: PROVIDER_NUMBER, sub_mchid: SUB_MERCHANT_NUMBER }
    : { mchid: MERCHANT_NUMBER },
});
