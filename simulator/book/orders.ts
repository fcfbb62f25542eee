/** Orders as WeChat sees them: one per `out_trade_no`, any number of prepay_ids, at most one payment. */
import type { SQLOutputValue } from 'node:sqlite';
import type { RandomBytes } from '../surroundings/surroundings.ts';
import type { Book } from './book.ts';
import { composePayment, type Payment, type PaymentWish, readPayment } from './payment.ts';
import { type Clock, formatBeijing } from './clock.ts';
import { isOpen, OPEN_STATES, type OpenState, type TradeState } from './trade-state.ts';
import {
  type OrderRequest,
  type OrderTerms,
  readTermsV2,
  readTermsV3,
  type SignType,
} from './order-terms.ts';

/** Payable time without `time_expire`, and when WeChat closes an unpaid order by itself. */
const DEFAULT_LIFETIME_MS = 7 * 24 * 3600 * 1000;
/** WeChat shortens a longer `time_expire` without a word; in service-provider mode to 15 days. */
const MAX_LIFETIME_MS = 90 * 24 * 3600 * 1000;
const MAX_SUB_MERCHANT_LIFETIME_MS = 15 * 24 * 3600 * 1000;
const MIN_LIFETIME_MS = 60 * 1000;
const PREPAY_LIFETIME_MS = 2 * 3600 * 1000;

/** `RSA` marks an order of API v3. */
export type OrderSignType = SignType | 'RSA';

export interface Order {
  readonly outTradeNo: string;
  readonly api: 'v2' | 'v3';
  /** The first request; in v2 without `nonce_str` and `sign`, in v3 with `trade_type`. */
  readonly request: OrderRequest;
  readonly terms: OrderTerms;
  readonly signType: OrderSignType;
  /** The v3 request asked for an answer signed by WeChat Pay's public key. */
  readonly namesPublicKey: boolean;
  readonly totalFen: number;
  readonly tradeState: TradeState;
  readonly createdAtMs: number;
  readonly payUntilMs: number;
  readonly closedAtMs: number | null;
  readonly paidAtMs: number | null;
  readonly payerOpenid: string | null;
  readonly transactionId: string | null;
  /** How it was paid; of an unpaid order, how it would be without coupons. */
  readonly payment: Payment;
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
  /** Paid from one moment on until before another, the oldest payment first. */
  listPaidBetween(fromMs: number, untilMs: number): Order[];
  /** `request` holds everything that `Order.request` does. */
  create(
    outTradeNo: string,
    request: OrderRequest,
    signType: OrderSignType,
    namesPublicKey?: boolean,
  ): void;
  issuePrepayId(outTradeNo: string): string;
  findPrepay(prepayId: string): Prepay | undefined;
  prepaysOf(outTradeNo: string): Prepay[];
  /** Unpaid → another unpaid state, or revoked. False when the order is not open. */
  setState(outTradeNo: string, state: OpenState | 'REVOKED'): boolean;
  /** Unpaid → closed. The caller has looked at the state in the same turn. */
  close(outTradeNo: string): void;
  /** Closed → unpaid, for a payment that was under way when the order was closed. */
  reopen(outTradeNo: string): void;
  /** Unpaid → paid, exactly once; undefined when the order was not unpaid. */
  pay(outTradeNo: string, payerOpenid: string, wish?: PaymentWish): Order | undefined;
  /** Paid → a refund was accepted, of a part or of all. */
  markRefunded(outTradeNo: string): void;
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
  const stored = String(row['trade_state']) as TradeState;
  const lapsed = isOpen({ tradeState: stored }) && closesAtMs <= nowMs;
  const request = JSON.parse(String(row['request'])) as OrderRequest;
  const signType = String(row['sign_type']) as OrderSignType;
  return {
    outTradeNo: String(row['out_trade_no']),
    api: signType === 'RSA' ? 'v3' : 'v2',
    request,
    terms: signType === 'RSA' ? readTermsV3(request) : readTermsV2(request),
    signType,
    namesPublicKey: row['names_public_key'] === 1,
    totalFen: Number(row['total_fee']),
    tradeState: lapsed ? 'CLOSED' : stored,
    createdAtMs: Number(row['created_at']),
    payUntilMs: Number(row['pay_until']),
    closedAtMs: lapsed ? closesAtMs : toNumberOrNull(row['closed_at']),
    paidAtMs: toNumberOrNull(row['paid_at']),
    payerOpenid: toTextOrNull(row['payer_openid']),
    transactionId: toTextOrNull(row['transaction_id']),
    payment: readPayment(toTextOrNull(row['payment']), Number(row['total_fee'])),
  };
}

const IS_OPEN = `trade_state IN (${OPEN_STATES.map((state) => `'${state}'`).join(', ')})`;

export function createOrders(book: Book, clock: Clock, randomBytes: RandomBytes): Orders {
  const { database } = book;
  const select = database.prepare('SELECT * FROM orders WHERE out_trade_no = ?');
  const selectByTransaction = database.prepare('SELECT * FROM orders WHERE transaction_id = ?');
  const selectAll = database.prepare('SELECT * FROM orders ORDER BY created_at, out_trade_no');
  const selectPaid = database.prepare(
    'SELECT * FROM orders WHERE paid_at >= ? AND paid_at < ? ORDER BY paid_at, transaction_id',
  );
  const insert = database.prepare(
    `INSERT INTO orders (out_trade_no, request, sign_type, total_fee, trade_state, created_at, pay_until, closes_at, names_public_key)
     VALUES (?, ?, ?, ?, 'NOTPAY', ?, ?, ?, ?)`,
  );
  const insertPrepay = database.prepare(
    'INSERT INTO prepays (prepay_id, out_trade_no, expires_at) VALUES (?, ?, ?)',
  );
  const selectPrepay = database.prepare('SELECT * FROM prepays WHERE prepay_id = ?');
  const selectPrepays = database.prepare(
    'SELECT * FROM prepays WHERE out_trade_no = ? ORDER BY expires_at',
  );
  const updateClosed = database.prepare(
    `UPDATE orders SET trade_state = 'CLOSED', closed_at = ? WHERE out_trade_no = ? AND ${IS_OPEN}`,
  );
  const updateReopened = database.prepare(
    `UPDATE orders SET trade_state = 'NOTPAY', closed_at = NULL WHERE out_trade_no = ? AND trade_state = 'CLOSED'`,
  );
  const updateState = database.prepare(
    `UPDATE orders SET trade_state = ? WHERE out_trade_no = ? AND ${IS_OPEN}`,
  );
  const updatePaid = database.prepare(
    `UPDATE orders SET trade_state = 'SUCCESS', paid_at = ?, payer_openid = ?, transaction_id = ?, payment = ?
     WHERE out_trade_no = ? AND ${IS_OPEN}`,
  );
  const updateRefunded = database.prepare(
    `UPDATE orders SET trade_state = 'REFUND' WHERE out_trade_no = ? AND trade_state IN ('SUCCESS', 'REFUND')`,
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
    listPaidBetween: (fromMs, untilMs) =>
      selectPaid.all(fromMs, untilMs).map((row) => toOrder(row, clock.now())),
    create(outTradeNo, request, signType, namesPublicKey = false) {
      const nowMs = clock.now();
      const terms = signType === 'RSA' ? readTermsV3(request) : readTermsV2(request);
      const defaultEndMs = nowMs + DEFAULT_LIFETIME_MS;
      const longestMs = terms.subMchid ? MAX_SUB_MERCHANT_LIFETIME_MS : MAX_LIFETIME_MS;
      // v3 lengthens what is shorter than a minute; v2 has refused it before.
      const askedEndMs = Math.max(terms.payUntilMs ?? defaultEndMs, nowMs + MIN_LIFETIME_MS);
      const payUntilMs = Math.min(askedEndMs, nowMs + longestMs);
      insert.run(
        outTradeNo,
        JSON.stringify(request),
        signType,
        terms.totalFen,
        nowMs,
        payUntilMs,
        Math.max(payUntilMs, defaultEndMs),
        Number(namesPublicKey),
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
    setState: (outTradeNo, state) => Number(updateState.run(state, outTradeNo).changes) === 1,
    close: (outTradeNo) => void updateClosed.run(clock.now(), outTradeNo),
    reopen: (outTradeNo) => void updateReopened.run(outTradeNo),
    pay(outTradeNo, payerOpenid, wish = {}) {
      const nowMs = clock.now();
      const payment = composePayment(find(outTradeNo)?.totalFen ?? 0, wish);
      const serial = book.nextSerial().toString().padStart(10, '0');
      const transactionId = `4200000000${formatBeijing(nowMs).slice(0, 8)}${serial}`;
      const { changes } = updatePaid.run(
        nowMs,
        payerOpenid,
        transactionId,
        JSON.stringify(payment),
        outTradeNo,
      );
      return Number(changes) === 1 ? find(outTradeNo) : undefined;
    },
    markRefunded: (outTradeNo) => void updateRefunded.run(outTradeNo),
  };
}
