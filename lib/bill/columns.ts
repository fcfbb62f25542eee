/**
 * The columns of a trade bill by their headings: which there are, and where, differs by the kind of
 * bill and by the account, and may change from one day to the next.
 *
 * Source: pay.weixin.qq.com/docs/merchant/products/bill-download/format-trade.html.
 */

/** What is read, and what WeChat calls it: today's heading, then older ones. */
const HEADINGS = {
  time: ['交易时间'],
  appid: ['公众账号ID'],
  mchid: ['商户号'],
  subMchid: ['特约商户号', '子商户号'],
  transactionId: ['微信订单号'],
  outTradeNo: ['商户订单号'],
  tradeState: ['交易状态'],
  settled: ['应结订单金额', '总金额'],
  refundId: ['微信退款单号'],
  outRefundNo: ['商户退款单号'],
  settledRefund: ['退款金额'],
  couponRefund: ['充值券退款金额', '代金券或立减优惠退款金额'],
  refundStatus: ['退款状态'],
  fee: ['手续费'],
  rate: ['费率'],
  /** What the buyer was to pay; older layouts know only `settled`. */
  ordered: ['订单金额'],
  /** What was asked for; older layouts know only `settledRefund`. */
  requestedRefund: ['申请退款金额'],
  /** Texts of the merchant's own, in which anything may be. */
  productName: ['商品名称'],
  attach: ['商户数据包'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Column = keyof typeof HEADINGS;

const REQUIRED = [
  'time',
  'mchid',
  'transactionId',
  'outTradeNo',
  'tradeState',
  'settled',
  'fee',
] as const satisfies readonly Column[];

export interface Columns {
  /** How many cells a row has. */
  readonly count: number;
  readonly at: Readonly<Partial<Record<Column, number>>>;
}

/** A heading may have the mark of a value. */
const headingsOf = (line: string) => line.split(',').map((cell) => cell.trim().replace(/^`/, ''));

/** @returns the headings that a bill must have and this line has not, when there are any. */
export function readColumns(line: string): Columns | { readonly missing: readonly string[] } {
  const headings = headingsOf(line);
  const at: Partial<Record<Column, number>> = {};
  for (const [column, names] of Object.entries(HEADINGS)) {
    const found = headings.findIndex((heading) => names.some((name) => name === heading));
    if (found >= 0) {
      at[column as Column] = found;
    }
  }
  const missing = REQUIRED.filter((column) => at[column] === undefined);
  return missing.length === 0
    ? { count: headings.length, at }
    : { missing: missing.map((column) => HEADINGS[column][0]) };
}

/** What the rows of a bill add up to; fees in thousandths of a fen, all else in fen. */
export interface Sums {
  readonly count: number;
  readonly settledFen: number;
  readonly settledRefundFen: number;
  readonly couponRefundFen: number;
  readonly feeMilliFen: number;
  readonly orderedFen: number;
  readonly requestedRefundFen: number;
}

const SUMMARY: Readonly<Record<string, keyof Sums>> = {
  总交易单数: 'count',
  应结订单总金额: 'settledFen',
  总交易额: 'settledFen',
  退款总金额: 'settledRefundFen',
  总退款金额: 'settledRefundFen',
  充值券退款总金额: 'couponRefundFen',
  总代金券或立减优惠退款金额: 'couponRefundFen',
  手续费总金额: 'feeMilliFen',
  订单总金额: 'orderedFen',
  申请退款总金额: 'requestedRefundFen',
};

export const isSummaryHeading = (line: string) => /^`?总交易单数(,|$)/.test(line);

/** The headings of the last two lines with what each is the sum of; nothing where that is not known. */
export const readSummaryHeading = (line: string) =>
  headingsOf(line).map((heading) => ({ heading, sum: SUMMARY[heading] }));
