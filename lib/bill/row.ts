/** One row of a trade bill: a payment, or a refund. */
import type { Column, Columns } from './columns.ts';
import { fenOf, milliFenOf, rateOf } from './money.ts';

/** What every row says; fees in thousandths of a fen, negative where they are given back. */
interface Row {
  /** In the text of the bill, from 1; of the first of its lines, where it has several. */
  readonly line: number;
  /** In Beijing, as the bill says it: `2026-11-24 23:59:59`. */
  readonly time: string;
  readonly appid: string;
  readonly mchid: string;
  readonly subMchid?: string | undefined;
  readonly transactionId: string;
  readonly outTradeNo: string;
  readonly settledFen: number;
  readonly orderedFen: number;
  readonly settledRefundFen: number;
  readonly couponRefundFen: number;
  readonly requestedRefundFen: number;
  readonly feeMilliFen: number;
  readonly rateMillionths?: number | undefined;
}

export interface PaymentRow extends Row {
  /** `revoked`: taken back at once (REVOKED), which only payment codes know. */
  readonly kind: 'payment' | 'revoked';
}

export interface RefundRow extends Row {
  readonly kind: 'refund';
  readonly outRefundNo: string;
  readonly refundId: string;
}

export type BillRow = PaymentRow | RefundRow;

/** The colons of older bills have the width of a Chinese character. */
const TIME = /^\d{4}-\d{2}-\d{2} \d{2}[:：]\d{2}[:：]\d{2}$/;
const ID = /^[\x21-\x7e]{1,64}$/;

/** Stands for "none" where a number would be. */
const NONE = new Set(['', '0']);

/** The row that these cells are; nothing when they are none. */
export function readRow(
  cells: readonly string[],
  { at }: Columns,
  line: number,
): BillRow | undefined {
  const cell = (column: Column) => (cells[at[column] ?? -1] ?? '').trim();
  // A kind of bill that has no such column has no such money.
  const fen = (column: Column) =>
    at[column] === undefined ? 0 : (fenOf(cell(column)) ?? Number.NaN);
  const time = cell('time');
  const row: Row = {
    line,
    time: time.replaceAll('：', ':'),
    appid: cell('appid'),
    mchid: cell('mchid'),
    subMchid: NONE.has(cell('subMchid')) ? undefined : cell('subMchid'),
    transactionId: cell('transactionId'),
    outTradeNo: cell('outTradeNo'),
    settledFen: fen('settled'),
    orderedFen: at.ordered === undefined ? fen('settled') : fen('ordered'),
    settledRefundFen: fen('settledRefund'),
    couponRefundFen: fen('couponRefund'),
    requestedRefundFen:
      at.requestedRefund === undefined ? fen('settledRefund') : fen('requestedRefund'),
    feeMilliFen: milliFenOf(cell('fee')) ?? Number.NaN,
    rateMillionths: rateOf(cell('rate')),
  };
  const isReadable =
    TIME.test(time) && ID.test(row.transactionId) && ID.test(row.outTradeNo) && !hasNoNumber(row);
  return isReadable ? ofKind(row, cell) : undefined;
}

const hasNoNumber = (row: Row) =>
  Number.isNaN(
    row.settledFen +
      row.orderedFen +
      row.settledRefundFen +
      row.couponRefundFen +
      row.requestedRefundFen +
      row.feeMilliFen,
  );

function ofKind(row: Row, cell: (column: Column) => string): BillRow | undefined {
  switch (cell('tradeState')) {
    case 'SUCCESS':
      return { ...row, kind: 'payment' };
    case 'REVOKED':
      return { ...row, kind: 'revoked' };
    case 'REFUND': {
      const outRefundNo = cell('outRefundNo');
      return ID.test(outRefundNo)
        ? { ...row, kind: 'refund', outRefundNo, refundId: cell('refundId') }
        : undefined;
    }
    default:
      return undefined;
  }
}
