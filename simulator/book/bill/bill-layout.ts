/**
 * The columns of a trade bill (交易账单) by its kind and layout, and the line of sums. Headings as
 * WeChat prints them; `legacy` is what accounts without free-charge coupons (免充值券) may still have.
 */
import { formatFee, formatYuan } from './bill-money.ts';
import type { BillRow } from './bill-rows.ts';

export const BILL_TYPES = ['ALL', 'SUCCESS', 'REFUND'] as const;
export type BillType = (typeof BILL_TYPES)[number];

export const BILL_LAYOUTS = ['new', 'legacy'] as const;
export type BillLayout = (typeof BILL_LAYOUTS)[number];

type Cell = (row: BillRow) => string;
type Column = readonly [heading: string, cell: Cell];

interface Words {
  readonly subMerchant: string;
  readonly settled: string;
  readonly coupon: string;
  readonly couponRefund: string;
}

const WORDS: Readonly<Record<BillLayout, Words>> = {
  new: {
    subMerchant: '特约商户号',
    settled: '应结订单金额',
    coupon: '代金券金额',
    couponRefund: '充值券退款金额',
  },
  legacy: {
    subMerchant: '子商户号',
    settled: '总金额',
    coupon: '代金券或立减优惠金额',
    couponRefund: '代金券或立减优惠退款金额',
  },
};

/** No number is written as 0. */
const orZero = (text: string) => text || '0';

const beginning = ({ subMerchant, settled, coupon }: Words, isLegacy: boolean): Column[] => [
  ['交易时间', (row) => row.time],
  ['公众账号ID', (row) => row.appid],
  ['商户号', (row) => row.mchid],
  [subMerchant, (row) => orZero(row.subMchid)],
  ['设备号', (row) => row.deviceInfo],
  ['微信订单号', (row) => row.transactionId],
  ['商户订单号', (row) => row.outTradeNo],
  ['用户标识', (row) => row.openid],
  ['交易类型', (row) => row.tradeType],
  ['交易状态', (row) => row.tradeState],
  ['付款银行', () => 'OTHERS'],
  ['货币种类', () => 'CNY'],
  [settled, (row) => formatYuan(isLegacy ? row.orderedFen : row.settledFen)],
  [coupon, (row) => formatYuan(row.couponFen)],
];

const REFUND_TIMES: readonly Column[] = [
  ['退款申请时间', (row) => row.time],
  ['退款成功时间', (row) => row.refundedAt],
];

const refund = ({ couponRefund }: Words, isLegacy: boolean): Column[] => [
  ['微信退款单号', (row) => orZero(row.refundId)],
  ['商户退款单号', (row) => orZero(row.outRefundNo)],
  ['退款金额', (row) => formatYuan(isLegacy ? row.requestedRefundFen : row.settledRefundFen)],
  [couponRefund, (row) => formatYuan(row.couponRefundFen)],
  ['退款类型', (row) => row.refundType],
  ['退款状态', (row) => row.refundStatus],
];

const ENDING: readonly Column[] = [
  ['商品名称', (row) => row.productName],
  ['商户数据包', (row) => row.attach],
  ['手续费', (row) => formatFee(row.feeFen)],
  ['费率', (row) => row.rate],
];

const ORDERED: Column = ['订单金额', (row) => formatYuan(row.orderedFen)];
const REQUESTED: Column = ['申请退款金额', (row) => formatYuan(row.requestedRefundFen)];
const REMARK: Column = ['费率备注', () => ''];

/** The columns in WeChat's order. */
export function listColumns(type: BillType, layout: BillLayout): readonly Column[] {
  const words = WORDS[layout];
  const isLegacy = layout === 'legacy';
  const hasRefunds = type !== 'SUCCESS';
  return [
    ...beginning(words, isLegacy),
    ...(type === 'REFUND' ? REFUND_TIMES : []),
    ...(hasRefunds ? refund(words, isLegacy) : []),
    ...ENDING,
    ...(isLegacy ? [] : [ORDERED, ...(hasRefunds ? [REQUESTED] : []), REMARK]),
  ];
}

type Sum = readonly [heading: string, write: (rows: readonly BillRow[]) => string];

const total =
  (read: (row: BillRow) => number, write = formatYuan): Sum[1] =>
  (rows) =>
    write(rows.reduce((sum, row) => sum + read(row), 0));

const COUNT: Sum = ['总交易单数', (rows) => rows.length.toString()];
const FEES = total((row) => row.feeFen, formatFee);

const SUMS: Readonly<Record<BillLayout, readonly Sum[]>> = {
  new: [
    COUNT,
    ['应结订单总金额', total((row) => row.settledFen)],
    ['退款总金额', total((row) => row.settledRefundFen)],
    ['充值券退款总金额', total((row) => row.couponRefundFen)],
    ['手续费总金额', FEES],
    ['订单总金额', total((row) => row.orderedFen)],
    ['申请退款总金额', total((row) => row.requestedRefundFen)],
  ],
  legacy: [
    COUNT,
    ['总交易额', total((row) => row.orderedFen)],
    ['总退款金额', total((row) => row.requestedRefundFen)],
    ['总代金券或立减优惠退款金额', total((row) => row.couponRefundFen)],
    ['手续费总金额', FEES],
  ],
};

/** The sums in WeChat's order: the same for every kind of bill, as genuine files have them. */
export const listSums = (layout: BillLayout): readonly Sum[] => SUMS[layout];
