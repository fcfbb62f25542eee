/** Trade bills: real ones from other clients' tests, and any that a test wants. */
import { readFileSync } from 'node:fs';

interface PublicBill {
  readonly id: string;
  readonly bill_type: string;
  readonly csv: string;
}

const PUBLIC: readonly (PublicBill | { readonly same_as: string })[] = JSON.parse(
  readFileSync(new URL('../vectors/bills.json', import.meta.url), 'utf8'),
);

/** Each with its source and licence in `test/vectors/bills.json`. */
export const PUBLIC_BILLS = PUBLIC.filter((bill) => 'csv' in bill);

export function publicBill(id: string): string {
  const found = PUBLIC_BILLS.find((bill) => bill.id === id);
  if (!found) {
    throw new Error(`no public bill ${id}`);
  }
  return found.csv;
}

export const LAYOUTS = {
  all: '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注',
  success:
    '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注',
  refund:
    '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注',
  legacy:
    '交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,代金券或立减优惠金额,微信退款单号,商户退款单号,退款金额,代金券或立减优惠退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率',
} as const;

export const SUMMARY =
  '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额';
export const LEGACY_SUMMARY =
  '总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额';

/** Cells by their headings; what is not said is as in a payment of 1.00 yuan. */
export type Cells = Readonly<Record<string, string>>;

const PAYMENT: Cells = {
  交易时间: '2026-11-24 10:00:00',
  公众账号ID: 'wx8888888888888888',
  商户号: '1900000109',
  特约商户号: '0',
  子商户号: '0',
  微信订单号: '4200000000202611240000000001',
  商户订单号: 'order0000000000000000000000000001',
  交易类型: 'JSAPI',
  交易状态: 'SUCCESS',
  付款银行: 'OTHERS',
  货币种类: 'CNY',
  应结订单金额: '1.00',
  总金额: '1.00',
  代金券金额: '0.00',
  微信退款单号: '0',
  商户退款单号: '0',
  退款金额: '0.00',
  充值券退款金额: '0.00',
  代金券或立减优惠退款金额: '0.00',
  商品名称: 'tea',
  手续费: '0.01000',
  费率: '0.60%',
  订单金额: '1.00',
  申请退款金额: '0.00',
};

/** A refund of 0.40 yuan of that payment. */
export const REFUND: Cells = {
  交易状态: 'REFUND',
  应结订单金额: '0.00',
  总金额: '0.00',
  订单金额: '0.00',
  微信退款单号: '50000000000000000000000000001',
  商户退款单号: 'refund0000000000000000000000001',
  退款金额: '0.40',
  申请退款金额: '0.40',
  退款状态: 'SUCCESS',
  手续费: '0.00000',
};

/** One line of a layout, every value with its mark. */
export const rowOf = (headings: string, cells: Cells = {}): string =>
  headings
    .split(',')
    .map((heading) => `\`${cells[heading] ?? PAYMENT[heading] ?? ''}`)
    .join(',');

/** A bill of a layout, with sums that are given. */
export const billOf = (
  headings: string,
  rows: readonly string[],
  sums: string,
  { summary = SUMMARY, end = '\r\n' }: { summary?: string; end?: string } = {},
): string => [headings, ...rows, summary, sums, ''].join(end);
