/** A generated day: rows of a bill, and the same day in pages of the table's index. */
import { DAY_SHARDS } from '../lib/table/shard.ts';

export const DATE = '2026-03-01';
export const MCHID = '1900000109';
const APPID = 'wx8888888888888888';

/** Every so manieth is a refund of the one before. */
const REFUND_EVERY = 10;
const HEADINGS =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注';
const SUMMARY =
  '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额';

const isRefund = (index: number) => index % REFUND_EVERY === REFUND_EVERY - 1;
const fenOf = (index: number) => 1_000 + (index % 977);
const yuan = (fen: number) => `${Math.trunc(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;
const twoDigits = (value: number) => String(value).padStart(2, '0');
const transactionId = (index: number) => `4200002345${String(index).padStart(18, '0')}`;
const outTradeNo = (index: number) => `order${String(index).padStart(27, '0')}`;

/** Over the day from 01:00 to 22:59, in Beijing. */
function timeOf(index: number, count: number): string {
  const second = 3_600 + Math.trunc((index / count) * 79_000);
  const parts = [Math.trunc(second / 3_600), Math.trunc(second / 60) % 60, second % 60];
  return parts.map(twoDigits).join(':');
}

/** @param inBillOnly so many of its rows have other numbers than those of the table. */
export function* billOf(count: number, inBillOnly: number): Generator<string> {
  let [paidFen, refundFen, feeFen] = [0, 0, 0];
  let lines = [HEADINGS];
  for (let index = 0; index < count; index += 1) {
    const about = isRefund(index) ? index - 1 : index < inBillOnly ? count + index : index;
    const fen = fenOf(about);
    const fee = Math.round(fen * 0.006);
    const sign = isRefund(index) ? -1 : 1;
    feeFen += sign * fee;
    const amounts = isRefund(index)
      ? { paid: '0.00', back: yuan(fen) }
      : { paid: yuan(fen), back: '0.00' };
    if (isRefund(index)) {
      refundFen += fen;
    } else {
      paidFen += fen;
    }
    const refund = isRefund(index)
      ? [`50000${about}`, `refund-${about}`, amounts.back, '0.00', 'ORIGINAL', 'SUCCESS']
      : ['0', '0', '0.00', '0.00', '', ''];
    lines.push(
      [
        `\`${DATE} ${timeOf(index, count)}`,
        APPID,
        MCHID,
        '0',
        '',
        transactionId(about),
        outTradeNo(about),
        'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
        'JSAPI',
        isRefund(index) ? 'REFUND' : 'SUCCESS',
        'OTHERS',
        'CNY',
        amounts.paid,
        '0.00',
        ...refund,
        '拿铁, 大杯',
        '',
        `${sign < 0 ? '-' : ''}${yuan(fee)}000`,
        '0.60%',
        amounts.paid,
        amounts.back,
        '',
      ].join(',`'),
    );
    if (lines.length === 500) {
      yield `${lines.join('\r\n')}\r\n`;
      lines = [];
    }
  }
  const sums = [
    String(count),
    yuan(paidFen),
    yuan(refundFen),
    '0.00',
    `${yuan(feeFen)}000`,
    yuan(paidFen),
    yuan(refundFen),
  ];
  yield [...lines, SUMMARY, sums.map((sum) => `\`${sum}`).join(','), ''].join('\r\n');
}

/** What DynamoDB answers to a query of a shard: `PAID#…` or `REFUNDED#…` of the day. */
export function pageOf(
  partition: string,
  startIndex: number | undefined,
  count: number,
  limit: number,
) {
  const [kind, date, shard] = partition.split('#');
  const wantsRefunds = kind === 'REFUNDED';
  const Items: object[] = [];
  let index = startIndex ?? Number(shard);
  for (; date === DATE && index < count && Items.length < limit; index += DAY_SHARDS) {
    if (isRefund(index) === wantsRefunds) {
      Items.push(itemOf(index, count, partition));
    }
  }
  const LastEvaluatedKey =
    date === DATE && index < count ? { PK: { S: String(index) } } : undefined;
  return { Items, Count: Items.length, ...(LastEvaluatedKey && { LastEvaluatedKey }) };
}

function itemOf(index: number, count: number, partition: string) {
  const about = isRefund(index) ? index - 1 : index;
  const at = `${new Date(Date.parse(`${DATE}T${timeOf(index, count)}+08:00`)).toISOString().slice(0, 19)}Z`;
  const texts = {
    PK: `ORDER#${outTradeNo(about)}`,
    SK: isRefund(index) ? `REFUND#refund-${about}` : 'ORDER',
    GSI3PK: partition,
    GSI3SK: at,
    outTradeNo: outTradeNo(about),
    transactionId: transactionId(about),
    appid: APPID,
    mchid: MCHID,
    ...(isRefund(index) ? { status: 'SUCCESS' } : { tradeState: 'SUCCESS', paidAt: at }),
  };
  return {
    ...Object.fromEntries(Object.entries(texts).map(([name, S]) => [name, { S }])),
    [isRefund(index) ? 'refundFen' : 'totalFen']: { N: String(fenOf(about)) },
  };
}
