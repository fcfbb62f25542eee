/** Orders as WeChat sees them: one per `out_trade_no`, any number of prepay_ids, at most one payment. */
import { randomBytes } from 'node:crypto';
import type { SQLOutputValue } from 'node:sqlite';
import type { Book } from './book.ts';
import { type Clock, formatBeijing, parseBeijing } from './clock.ts';
import type { Fields, SignType } from './wire.ts';

/** Payable time without `time_expire`, and when WeChat closes an unpaid order by itself. */
const DEFAULT_LIFETIME_MS = 7 * 24 * 3600 * 1000;
/** WeChat shortens a longer `time_expire` without a word. */
const MAX_LIFETIME_MS = 90 * 24 * 3600 * 1000;
const PREPAY_LIFETIME_MS = 2 * 3600 * 1000;

export type TradeState = 'NOTPAY' | 'SUCCESS' | 'CLOSED';

export interface Order {
  readonly outTradeNo: string;
  /** The first request, without `nonce_str` and `sign`. */
  readonly request: Fields;
  readonly signType: SignType;
  readonly totalFen: number;
  readonly tradeState: TradeState;
  readonly createdAtMs: number;
  readonly payUntilMs: number;
  readonly closedAtMs: number | null;
  readonly paidAtMs: number | null;
  readonly payerOpenid: string | null;
  readonly transactionId: string | null;
}

export interface Prepay {
  readonly prepayId: string;
  readonly outTradeNo: string;
  readonly expiresAtMs: number;
}

export interface Orders {
  find(outTradeNo: string): Order | undefined;
  findByTransactionId(transactionId: string): Order | undefined;
  list(): Order[];
  create(request: Fields, signType: SignType): void;
  issuePrepayId(outTradeNo: string): string;
  findPrepay(prepayId: string): Prepay | undefined;
  prepaysOf(outTradeNo: string): Prepay[];
  /** Unpaid → closed. The caller has looked at the state in the same turn. */
  close(outTradeNo: string): void;
  /** Closed → unpaid, for a payment that was under way when the order was closed. */
  reopen(outTradeNo: string): void;
  /** Unpaid → paid, exactly once; undefined when the order was not unpaid. */
  pay(outTradeNo: string, payerOpenid: string): Order | undefined;
}

type Row = Record<string, SQLOutputValue>;

const toNumberOrNull = (value: SQLOutputValue | undefined) =>
  value === null || value === undefined ? null : Number(value);
const toTextOrNull = (value: SQLOutputValue | undefined) =>
  value === null || value === undefined ? null : String(value);

const toPrepay = (row: Row): Prepay => ({
  prepayId: String(row['prepay_id']),
  outTradeNo: String(row['out_trade_no']),
  expiresAtMs: Number(row['expires_at']),
});

/** An order that nobody paid or closed is closed when its days are over, also if nothing happens at that moment. */
function toOrder(row: Row, nowMs: number): Order {
  const closesAtMs = Number(row['closes_at']);
  const lapsed = row['trade_state'] === 'NOTPAY' && closesAtMs <= nowMs;
  return {
    outTradeNo: String(row['out_trade_no']),
    request: JSON.parse(String(row['request'])) as Fields,
    signType: String(row['sign_type']) as SignType,
    totalFen: Number(row['total_fee']),
    tradeState: lapsed ? 'CLOSED' : (String(row['trade_state']) as TradeState),
    createdAtMs: Number(row['created_at']),
    payUntilMs: Number(row['pay_until']),
    closedAtMs: lapsed ? closesAtMs : toNumberOrNull(row['closed_at']),
    paidAtMs: toNumberOrNull(row['paid_at']),
    payerOpenid: toTextOrNull(row['payer_openid']),
    transactionId: toTextOrNull(row['transaction_id']),
  };
}

export function createOrders(book: Book, clock: Clock): Orders {
  const { database } = book;
  const select = database.prepare('SELECT * FROM orders WHERE out_trade_no = ?');
  const selectByTransaction = database.prepare('SELECT * FROM orders WHERE transaction_id = ?');
  const selectAll = database.prepare('SELECT * FROM orders ORDER BY created_at, out_trade_no');
  const insert = database.prepare(
    `INSERT INTO orders (out_trade_no, request, sign_type, total_fee, trade_state, created_at, pay_until, closes_at)
     VALUES (?, ?, ?, ?, 'NOTPAY', ?, ?, ?)`,
  );
  const insertPrepay = database.prepare(
    'INSERT INTO prepays (prepay_id, out_trade_no, expires_at) VALUES (?, ?, ?)',
  );
  const selectPrepay = database.prepare('SELECT * FROM prepays WHERE prepay_id = ?');
  const selectPrepays = database.prepare(
    'SELECT * FROM prepays WHERE out_trade_no = ? ORDER BY expires_at',
  );
  const updateClosed = database.prepare(
    `UPDATE orders SET trade_state = 'CLOSED', closed_at = ? WHERE out_trade_no = ? AND trade_state = 'NOTPAY'`,
  );
  const updateReopened = database.prepare(
    `UPDATE orders SET trade_state = 'NOTPAY', closed_at = NULL WHERE out_trade_no = ? AND trade_state = 'CLOSED'`,
  );
  const updatePaid = database.prepare(
    `UPDATE orders SET trade_state = 'SUCCESS', paid_at = ?, payer_openid = ?, transaction_id = ?
     WHERE out_trade_no = ? AND trade_state = 'NOTPAY'`,
  );
  const find = (outTradeNo: string) => {
    const row = select.get(outTradeNo);
    return row && toOrder(row, clock.now());
  };

  return {
    find,
    findByTransactionId(transactionId) {
      const row = selectByTransaction.get(transactionId);
      return row && toOrder(row, clock.now());
    },
    list: () => selectAll.all().map((row) => toOrder(row, clock.now())),
    create(request, signType) {
      const nowMs = clock.now();
      const defaultEndMs = nowMs + DEFAULT_LIFETIME_MS;
      const askedEndMs = parseBeijing(request['time_expire'] ?? '') ?? defaultEndMs;
      const payUntilMs = Math.min(askedEndMs, nowMs + MAX_LIFETIME_MS);
      insert.run(
        request['out_trade_no'] ?? '',
        JSON.stringify(request),
        signType,
        Number(request['total_fee']),
        nowMs,
        payUntilMs,
        Math.max(payUntilMs, defaultEndMs),
      );
    },
    issuePrepayId(outTradeNo) {
      const nowMs = clock.now();
      const prepayId = `wx${formatBeijing(nowMs)}${randomBytes(10).toString('hex')}`;
      insertPrepay.run(prepayId, outTradeNo, nowMs + PREPAY_LIFETIME_MS);
      return prepayId;
    },
    findPrepay(prepayId) {
      const row = selectPrepay.get(prepayId);
      return row && toPrepay(row);
    },
    prepaysOf: (outTradeNo) => selectPrepays.all(outTradeNo).map(toPrepay),
    close: (outTradeNo) => void updateClosed.run(clock.now(), outTradeNo),
    reopen: (outTradeNo) => void updateReopened.run(outTradeNo),
    pay(outTradeNo, payerOpenid) {
      const nowMs = clock.now();
      const serial = book.nextSerial().toString().padStart(10, '0');
      const transactionId = `4200000000${formatBeijing(nowMs).slice(0, 8)}${serial}`;
      const { changes } = updatePaid.run(nowMs, payerOpenid, transactionId, outTradeNo);
      return Number(changes) === 1 ? find(outTradeNo) : undefined;
    },
  };
}
