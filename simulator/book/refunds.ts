/** Refunds (退款) as WeChat sees them: one per `out_refund_no`, whoever began it, with its state of now. */
import type { SQLOutputValue } from 'node:sqlite';
import type { Book } from './book.ts';
import { type Clock, formatBeijing } from './clock.ts';
import type { OrderRequest } from './order-terms.ts';

export const REFUND_STATUSES = ['PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL'] as const;
/** In the words of v3. `CLOSED` gave nothing back; `ABNORMAL` waits at WeChat until somebody decides. */
export type RefundStatus = (typeof REFUND_STATUSES)[number];
export type RefundEnd = Exclude<RefundStatus, 'PROCESSING'>;

/** From the acceptance to the end, on WeChat's clock. */
export const PROCESSING_MS = 3000;

/** What is fixed when a refund begins, and what somebody decides about it later. */
interface Facts {
  /** `console`: by hand in the merchant console (商户平台). */
  readonly api: 'v2' | 'v3' | 'console';
  /** The first request; in v2 without `nonce_str` and `sign`. Of the console: nothing. */
  readonly request: OrderRequest;
  readonly reason: string;
  /** Empty: the request names none. */
  readonly notifyUrl: string;
  /** What earlier refunds of the order had given back. */
  readonly beforeFen: number;
  /** The v3 request asked for an answer signed by WeChat Pay's public key. */
  readonly namesPublicKey: boolean;
  /** Where the money ends. */
  readonly receivedBy: string;
  readonly channel: 'ORIGINAL' | 'OTHER_BANKCARD';
  /** The request that sent the money of an `ABNORMAL` refund elsewhere. */
  readonly rerouting?: OrderRequest;
  /** Of the notification that waits for the end. */
  readonly noticeId?: number;
}

export interface Refund extends Facts {
  readonly refundId: string;
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly refundFen: number;
  readonly createdAtMs: number;
  readonly status: RefundStatus;
  /** When it came to this state; null while it is `PROCESSING`. */
  readonly endedAtMs: number | null;
}

export interface NewRefund extends Facts {
  /** Absent: a number of the console's own. */
  readonly outRefundNo?: string;
  readonly outTradeNo: string;
  readonly refundFen: number;
}

export interface Refunds {
  find(outRefundNo: string): Refund | undefined;
  findById(refundId: string): Refund | undefined;
  /** The oldest first. */
  listOf(outTradeNo: string): Refund[];
  /** Accepted from one moment on until before another, the oldest first. */
  listAcceptedBetween(fromMs: number, untilMs: number): Refund[];
  /** What was given back or is on its way. */
  refundedFenOf(outTradeNo: string): number;
  /** The same of all orders, for the refunds with a later serial number. */
  refundedFenSince(serial: number): number;
  /** A new refund that is `PROCESSING`, and becomes `end` by itself. */
  begin(refund: NewRefund, end: RefundEnd): Refund;
  /** `PROCESSING` again, as after a decision about an `ABNORMAL` one. */
  beginAgain(outRefundNo: string): Refund;
  end(outRefundNo: string, status: RefundEnd): Refund;
  /** Adds to what is known. */
  note(outRefundNo: string, facts: Partial<Facts>): Refund;
}

type Row = Record<string, SQLOutputValue>;

const OF_CONSOLE: Facts = {
  api: 'console',
  request: {},
  reason: '',
  notifyUrl: '',
  beforeFen: 0,
  namesPublicKey: false,
  receivedBy: '支付用户零钱',
  channel: 'ORIGINAL',
};

const readFacts = (row: Row): Facts => ({
  ...OF_CONSOLE,
  ...(row['facts'] === null ? {} : (JSON.parse(String(row['facts'])) as Facts)),
});

/** One that nobody ends comes to its end when its time is over, also if nothing happens at that moment. */
function toRefund(row: Row, nowMs: number): Refund {
  const createdAtMs = Number(row['created_at']);
  const stored = String(row['status']) as RefundStatus;
  const settlesAtMs = Number(row['settles_at'] ?? createdAtMs);
  const isOver = stored === 'PROCESSING' && settlesAtMs <= nowMs;
  const status = isOver ? (String(row['settles_as']) as RefundEnd) : stored;
  const endedAtMs = isOver ? settlesAtMs : Number(row['ended_at'] ?? createdAtMs);
  return {
    ...readFacts(row),
    refundId: String(row['refund_id']),
    outRefundNo: String(row['out_refund_no']),
    outTradeNo: String(row['out_trade_no']),
    refundFen: Number(row['refund_fee']),
    createdAtMs,
    status,
    endedAtMs: status === 'PROCESSING' ? null : endedAtMs,
  };
}

const sumUp = (refunds: readonly Refund[]) =>
  refunds
    .filter(({ status }) => status !== 'CLOSED')
    .reduce((sum, { refundFen }) => sum + refundFen, 0);

export function createRefunds(book: Book, clock: Clock): Refunds {
  const { database } = book;
  const select = database.prepare('SELECT * FROM refunds WHERE out_refund_no = ?');
  const selectById = database.prepare('SELECT * FROM refunds WHERE refund_id = ?');
  const selectOfOrder = database.prepare(
    'SELECT * FROM refunds WHERE out_trade_no = ? ORDER BY created_at, refund_id',
  );
  const selectAccepted = database.prepare(
    'SELECT * FROM refunds WHERE created_at >= ? AND created_at < ? ORDER BY created_at, refund_id',
  );
  const insert = database.prepare(
    `INSERT INTO refunds (refund_id, out_refund_no, out_trade_no, refund_fee, created_at, status, settles_at, settles_as, facts)
     VALUES (?, ?, ?, ?, ?, 'PROCESSING', ?, ?, ?)`,
  );
  const updateBegun = database.prepare(
    `UPDATE refunds SET status = 'PROCESSING', settles_at = ?, settles_as = 'SUCCESS', ended_at = NULL
     WHERE out_refund_no = ?`,
  );
  const updateEnded = database.prepare(
    'UPDATE refunds SET status = ?, settles_at = NULL, ended_at = ? WHERE out_refund_no = ?',
  );
  const updateFacts = database.prepare('UPDATE refunds SET facts = ? WHERE out_refund_no = ?');
  const selectSince = database.prepare(
    'SELECT * FROM refunds WHERE CAST(substr(refund_id, -10) AS INTEGER) > ?',
  );
  const read = (row: Row | undefined) => row && toRefund(row, clock.now());
  const find = (outRefundNo: string) => read(select.get(outRefundNo));
  const get = (outRefundNo: string): Refund => {
    const refund = find(outRefundNo);
    if (!refund) {
      throw new Error(`the book has no refund ${outRefundNo}`);
    }
    return refund;
  };
  const listOf = (outTradeNo: string) =>
    selectOfOrder.all(outTradeNo).map((row) => toRefund(row, clock.now()));

  return {
    find,
    findById: (refundId) => read(selectById.get(refundId)),
    listOf,
    listAcceptedBetween: (fromMs, untilMs) =>
      selectAccepted.all(fromMs, untilMs).map((row) => toRefund(row, clock.now())),
    refundedFenOf: (outTradeNo) => sumUp(listOf(outTradeNo)),
    refundedFenSince: (serial) =>
      sumUp(selectSince.all(serial).map((row) => toRefund(row, clock.now()))),
    begin({ outRefundNo: named, outTradeNo, refundFen, ...facts }, end) {
      const nowMs = clock.now();
      const serial = book.nextSerial().toString().padStart(10, '0');
      const outRefundNo = named ?? `BK${formatBeijing(nowMs)}${serial}`;
      const refundId = `50300000${formatBeijing(nowMs).slice(0, 8)}${serial}`;
      const fixed = [refundId, outRefundNo, outTradeNo, refundFen, nowMs] as const;
      insert.run(...fixed, nowMs + PROCESSING_MS, end, JSON.stringify(facts));
      return get(outRefundNo);
    },
    beginAgain(outRefundNo) {
      updateBegun.run(clock.now() + PROCESSING_MS, outRefundNo);
      return get(outRefundNo);
    },
    end(outRefundNo, status) {
      updateEnded.run(status, clock.now(), outRefundNo);
      return get(outRefundNo);
    },
    note(outRefundNo, added) {
      const row = select.get(outRefundNo);
      const facts = row ? { ...readFacts(row), ...added } : added;
      updateFacts.run(JSON.stringify(facts), outRefundNo);
      return get(outRefundNo);
    },
  };
}
