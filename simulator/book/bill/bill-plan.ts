/** Differences that somebody plants in a day's bill: what WeChat says there is not what happened. */
import { formatBeijingForPeople } from '../clock.ts';
import { dayAfter, startOfDay } from './bill-day.ts';
import type { BillLayout } from './bill-layout.ts';
import { feeOf } from './bill-money.ts';
import { type BillRow, EMPTY_ROW } from './bill-rows.ts';
import type { BillDamage } from './bill-text.ts';

/** What is wrong with one row. */
export interface BillChange {
  /** One of the two names the row: a payment, or a refund. Of a row that is added both may be there. */
  readonly outTradeNo?: string;
  readonly outRefundNo?: string;
  /** The amount; of a number that the bill does not have: a row that is added. */
  readonly fen?: number;
  readonly remove?: true;
  /** So many rows more. */
  readonly repeat?: number;
  /** The row stands in the next day's bill, as those of the last seconds before midnight may. */
  readonly nextDay?: true;
  readonly tradeState?: BillRow['tradeState'];
  readonly appid?: string;
  readonly mchid?: string;
  readonly subMchid?: string;
  readonly transactionId?: string;
  readonly feeFen?: number;
  readonly rate?: string;
}

/** What is wrong with the bill of one day, and how it is written. */
export interface BillPlan extends BillDamage {
  readonly alter: readonly BillChange[];
  readonly layout?: BillLayout;
  readonly bom?: boolean;
  /** Compressed, or not, whatever was asked for. */
  readonly gzip?: boolean;
  /** In v3: a `hash_value` that is not the file's. */
  readonly wrongHash?: boolean;
}

export const NO_PLAN: BillPlan = { alter: [] };

const names = ({ outTradeNo, outRefundNo }: BillChange, row: BillRow) =>
  outRefundNo === undefined
    ? row.outRefundNo === '' && row.outTradeNo === outTradeNo
    : row.outRefundNo === outRefundNo;

/** Whether the bill has the row without anybody's doing. */
export const isInBill = (change: BillChange, rows: readonly BillRow[]): boolean =>
  rows.some((row) => names(change, row));

/** The rows of a day that its plan leaves to the next day's bill, with that day's first second. */
export function listMoved(rows: readonly BillRow[], plan: BillPlan, date: string): BillRow[] {
  const time = formatBeijingForPeople(startOfDay(dayAfter(date)) ?? 0);
  return rows.filter((row) => isMoved(row, plan)).map((row) => ({ ...row, time }));
}

const isMoved = (row: BillRow, { alter }: BillPlan) =>
  alter.some((change) => change.nextDay === true && names(change, row));

/** The rows with all that is planted in them. `common` is what rows that are added have. */
export function plantDifferences(
  rows: readonly BillRow[],
  plan: BillPlan,
  common: Partial<BillRow>,
): BillRow[] {
  let planted = rows.filter((row) => !isMoved(row, plan));
  for (const [index, change] of plan.alter.entries()) {
    if (isInBill(change, rows)) {
      planted = planted.flatMap((row) => (names(change, row) ? alterRow(row, change) : [row]));
    } else if (change.fen !== undefined) {
      planted.push(...alterRow(createRow(change, common, index), change));
    }
  }
  return planted;
}

function alterRow(row: BillRow, change: BillChange): BillRow[] {
  if (change.remove) {
    return [];
  }
  const altered = { ...setAmount(row, change.fen), ...pickGiven(change) };
  return Array.from({ length: 1 + (change.repeat ?? 0) }, () => altered);
}

const GIVEN = [
  'tradeState',
  'appid',
  'mchid',
  'subMchid',
  'transactionId',
  'feeFen',
  'rate',
] as const;

const pickGiven = (change: BillChange): Partial<BillRow> =>
  Object.fromEntries(
    GIVEN.flatMap((name) => (change[name] === undefined ? [] : [[name, change[name]]])),
  );

/** The fee follows the amount. */
function setAmount(row: BillRow, fen: number | undefined): BillRow {
  if (fen === undefined) {
    return row;
  }
  const fee = feeOf(fen, row.rate);
  return row.outRefundNo === ''
    ? { ...row, orderedFen: fen, settledFen: fen, feeFen: fee }
    : { ...row, requestedRefundFen: fen, settledRefundFen: fen, feeFen: -fee };
}

/** A payment or a refund that WeChat knows and nobody else; its numbers are the same each time. */
function createRow(
  { outTradeNo, outRefundNo = '' }: BillChange,
  common: Partial<BillRow>,
  index: number,
): BillRow {
  const digits = `${common.time?.slice(0, 10).replaceAll('-', '')}${index.toString().padStart(10, '9')}`;
  return {
    ...EMPTY_ROW,
    openid: 'oUnknownBuyer0000000000000000',
    tradeType: 'JSAPI',
    productName: '其他系统的订单',
    transactionId: `4200000000${digits}`,
    outTradeNo: outTradeNo ?? `of-${outRefundNo}`.slice(0, 32),
    ...(outRefundNo === ''
      ? {}
      : {
          tradeState: 'REFUND',
          refundId: `50300000${digits}`,
          outRefundNo,
          refundType: 'ORIGINAL',
          refundStatus: 'SUCCESS',
          refundedAt: common.time ?? '',
        }),
    ...common,
  };
}
