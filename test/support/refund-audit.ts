/** What must be true of an order's refunds in the table and in WeChat's book once nothing is open. */
import { expect } from 'vitest';

/** A refund in WeChat's book. */
export interface BookedRefund {
  readonly outRefundNo: string;
  readonly refundId: string;
  readonly refundFen: number;
  readonly status: string;
  readonly api: string;
}

/** An order in WeChat's book, as far as its refunds go. */
export interface BookedRefunds {
  readonly totalFen: number;
  readonly refundedFen: number;
  readonly refunds: readonly BookedRefund[];
}

/** A refund's row, as far as it must agree with the book. */
export interface RefundRowView {
  readonly outRefundNo: string;
  readonly refundFen: number;
  readonly status: string;
  readonly refundId?: string | undefined;
  readonly nextCheckAtEpochSeconds?: number | undefined;
}

/** The account on an order's row. */
export interface AccountView {
  readonly totalFen: number;
  readonly refundableFen: number;
  readonly refundedFen: number;
  readonly refundMismatch?: unknown;
}

/**
 * Holds the table against WeChat's book to the fen. A row that WeChat has nothing of is closed and
 * has no number of WeChat's.
 */
export function expectSettled(
  outTradeNo: string,
  book: BookedRefunds,
  account: AccountView,
  rows: readonly RefundRowView[],
): void {
  const back = book.refunds.filter(({ status }) => status !== 'CLOSED');
  const backFen = back.reduce((sum, { refundFen }) => sum + refundFen, 0);
  expect.soft(backFen, outTradeNo).toBeLessThanOrEqual(book.totalFen);
  const { refundableFen, refundedFen, refundMismatch } = account;
  expect
    .soft({ outTradeNo, refundedFen, refundableFen, refundMismatch })
    .toEqual({ outTradeNo, refundedFen: backFen, refundableFen: book.totalFen - backFen });
  const booked = new Map(book.refunds.map((refund) => [refund.outRefundNo, refund]));
  const seen = rows.map(
    ({ outRefundNo, refundFen, status, refundId, nextCheckAtEpochSeconds }) => ({
      outRefundNo,
      refundFen,
      status,
      refundId,
      nextCheckAtEpochSeconds,
    }),
  );
  const wanted = rows.map(({ outRefundNo, refundFen }) => ({
    outRefundNo,
    refundFen: booked.get(outRefundNo)?.refundFen ?? refundFen,
    status: booked.get(outRefundNo)?.status ?? 'CLOSED',
    refundId: booked.get(outRefundNo)?.refundId,
    nextCheckAtEpochSeconds: undefined,
  }));
  expect.soft(seen, outTradeNo).toEqual(wanted);
  const known = new Set(rows.map(({ outRefundNo }) => outRefundNo));
  expect
    .soft(
      [...booked.keys()].filter((one) => !known.has(one)),
      outTradeNo,
    )
    .toEqual([]);
}
