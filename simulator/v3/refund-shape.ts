/** The documented fields under `/v3/refund/domestic/refunds`. */
import type { Shape } from './json-shape.ts';
import {
  fen,
  group,
  NOTIFY_URL,
  type ObjectShape,
  OUT_TRADE_NO,
  required,
  type ShapeFields,
  SUB_MERCHANT_NUMBER,
  text,
} from './shape-parts.ts';

const OUT_REFUND_NO = required(text('商户退款单号', 64, { pattern: /^[0-9A-Za-z_\-|*@]+$/ }));

const GOODS: Shape = group('退款商品', {
  merchant_goods_id: required(text('商户侧商品编码', 32)),
  wechatpay_goods_id: text('微信支付商品编码', 32),
  goods_name: text('商品名称', 256),
  unit_price: required(fen('商品单价')),
  refund_amount: required(fen('商品退款金额')),
  refund_quantity: required({ type: 'integer', label: '商品退货数量', min: 1 }),
});

const SOURCE: Shape = group('退款出资账户', {
  account: required(text('出资账户类型', 32, { pattern: /^(AVAILABLE|UNAVAILABLE)$/ })),
  amount: required(fen('出资金额', 1)),
});

const NEW_REFUND: ShapeFields = {
  transaction_id: text('微信支付订单号', 32),
  out_trade_no: OUT_TRADE_NO,
  out_refund_no: OUT_REFUND_NO,
  reason: text('退款原因', 80),
  notify_url: text('退款结果回调url', 256, { min: 8, pattern: NOTIFY_URL }),
  funds_account: text('退款资金来源', 32, { pattern: /^(AVAILABLE|UNSETTLED)$/ }),
  amount: required(
    group('金额信息', {
      refund: required(fen('退款金额', 1)),
      total: required(fen('原订单金额', 1)),
      currency: required(text('退款币种', 16, { pattern: /^CNY$/ })),
      from: { type: 'array', label: '退款出资账户及金额', min: 1, max: 10, item: SOURCE },
    }),
  ),
  goods_detail: { type: 'array', label: '退款商品', min: 1, max: 3000, item: GOODS },
};

const REROUTING: ShapeFields = {
  out_refund_no: OUT_REFUND_NO,
  type: required(
    text('异常退款处理方式', 32, { pattern: /^(USER_BANK_CARD|MERCHANT_BANK_CARD)$/ }),
  ),
  bank_type: text('开户银行', 16),
  bank_account: text('收款银行卡号', 1024),
  real_name: text('收款用户姓名', 1024),
};

/** A service provider names its sub-merchant. */
const withParties = (isPartner: boolean, fields: ShapeFields): ShapeFields => ({
  ...(isPartner ? { sub_mchid: SUB_MERCHANT_NUMBER } : {}),
  ...fields,
});

export const shapeOfRefund = (isPartner: boolean): ObjectShape =>
  group('退款', withParties(isPartner, NEW_REFUND));

export const shapeOfRerouting = (isPartner: boolean): ObjectShape =>
  group('异常退款', withParties(isPartner, REROUTING));

export const shapeOfRefundQuery = (isPartner: boolean): ObjectShape =>
  group('查询退款', withParties(isPartner, {}));
