/** Payments and refunds as they are compared: what the bill says, and what the table has. */
import { wrongFee } from './money.ts';
import type { BillRow } from './row.ts';

/** What is compared; a payment by WeChat's number of it, a refund by ours. */
export type Subject = 'payment' | 'refund';

interface Entry {
  readonly outTradeNo: string;
  readonly fen: number;
  readonly mchid: string;
  readonly subMchid?: string | undefined;
}

/** In the bill (there). */
export interface ThereEntry extends Entry {
  readonly line: number;
  /** A provider's bill names the provider's. */
  readonly appid: string;
  readonly transactionId: string;
  readonly refundId?: string | undefined;
  readonly isRevoked?: boolean | undefined;
  /** Only of a fee that is not what the amount and the rate make it; thousandths of a fen. */
  readonly fee?: { readonly expected: number; readonly charged: number } | undefined;
}

/** In the table (here). */
export interface HereEntry extends Entry {
  readonly appids: readonly string[];
  /** On which day it is here, as seen from the bill's. */
  readonly day: 'before' | 'same' | 'after';
  /** So near to the end of its day that it may be in the next one's bill. */
  readonly isLate?: boolean | undefined;
  /** A refund that WeChat closed: it may be in a bill or not. */
  readonly isClosed?: boolean | undefined;
}

/** The bill's side of a comparison, by what it is compared by. */
export function thereOf(row: BillRow): {
  readonly subject: Subject;
  readonly key: string;
  readonly entry: ThereEntry;
} {
  const { line, outTradeNo, mchid, subMchid, appid, transactionId } = row;
  const isRefund = row.kind === 'refund';
  const settledFen = isRefund ? -row.settledRefundFen : row.settledFen;
  const expected = wrongFee(settledFen, row.rateMillionths, row.feeMilliFen);
  const entry = {
    line,
    outTradeNo,
    mchid,
    ...(subMchid !== undefined && { subMchid }),
    appid,
    transactionId,
    fen: isRefund ? row.requestedRefundFen : row.orderedFen,
    ...(row.kind === 'revoked' && { isRevoked: true }),
    ...(expected !== undefined && { fee: { expected, charged: row.feeMilliFen } }),
  };
  return isRefund
    ? { subject: 'refund', key: row.outRefundNo, entry: { ...entry, refundId: row.refundId } }
    : { subject: 'payment', key: transactionId, entry };
}
