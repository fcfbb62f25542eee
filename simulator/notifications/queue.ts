/** Notifications (支付结果通知, 退款结果通知) on disk: what is to be sent, when next, and every attempt so far. */
import type { SQLOutputValue } from 'node:sqlite';
import type { Book } from '../book/book.ts';
import type { AttemptDetail, Outcome } from './delivery.ts';
import type { Notice } from './notice.ts';
import type { SignType } from '../book/order-terms.ts';
import type { Fields } from '../v2/wire.ts';

/** Seconds between an attempt and the next one: 15 retries in about 24 hours. */
const RETRY_GAPS_SECONDS = [
  15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
] as const;

export interface Notification {
  readonly id: number;
  readonly outTradeNo: string;
  readonly notifyUrl: string;
  readonly notice: Notice;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly nextAtMs: number | null;
  /** `pending`, `acknowledged`, or `given-up` after the last retry. */
  readonly state: string;
  /** Held back once by a `late` or `reorder` fault. */
  readonly postponed: string | null;
}

export interface Attempt extends AttemptDetail {
  readonly attempt: number;
  readonly atMs: number;
  readonly outcome: Outcome;
}

export interface Notifications {
  /** Gives its id. */
  schedule(outTradeNo: string, notifyUrl: string, notice: Notice, dueAtMs: number): number;
  /** Takes back what nobody has begun to send. */
  withdraw(id: number): void;
  /** One more copy of the same message, sent once. */
  scheduleCopy(notification: Notification, dueAtMs: number): void;
  /** Pending ones due until then, the earliest first. */
  listDue(untilMs: number, limit: number): Notification[];
  nextDueMs(): number | undefined;
  postpone(id: number, reason: 'late' | 'reorder', untilMs: number): void;
  /** What `reorder` holds back becomes due. */
  releaseReordered(nowMs: number): void;
  /** Records what happened and sets the next attempt in one transaction. */
  record(notification: Notification, ends: readonly Attempt[]): void;
  /** Rewrites what is still to be sent. */
  rewritePending(rewrite: (notice: Notice) => Notice): void;
  listOf(outTradeNo: string): { notification: Notification; attempts: Attempt[] }[];
}

function toNotification(row: Record<string, SQLOutputValue>): Notification {
  return {
    id: Number(row['id']),
    outTradeNo: String(row['out_trade_no']),
    notifyUrl: String(row['notify_url']),
    notice: readNotice(String(row['sign_type']), String(row['fields'])),
    attempts: Number(row['attempts']),
    maxAttempts: Number(row['max_attempts']),
    nextAtMs: row['next_at'] === null ? null : Number(row['next_at']),
    state: String(row['state']),
    postponed: row['postponed'] === null ? null : String(row['postponed']),
  };
}

/** A row of a v2 payment has its signed fields and their algorithm; other kinds are kept whole. */
function readNotice(kind: string, content: string): Notice {
  return kind === 'MD5' || kind === 'HMAC-SHA256'
    ? { kind: 'payment-v2', signType: kind, fields: JSON.parse(content) as Fields }
    : (JSON.parse(content) as Notice);
}

const writeNotice = (notice: Notice): [kind: SignType | Notice['kind'], content: string] =>
  notice.kind === 'payment-v2'
    ? [notice.signType, JSON.stringify(notice.fields)]
    : [notice.kind, JSON.stringify(notice)];

export function createNotifications(book: Book): Notifications {
  const { database } = book;
  const insert = database.prepare(
    `INSERT INTO notifications (out_trade_no, notify_url, sign_type, fields, state, max_attempts, next_at, postponed)
     VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)`,
  );
  const selectDue = database.prepare(
    'SELECT * FROM notifications WHERE next_at <= ? ORDER BY next_at, id LIMIT ?',
  );
  const selectNext = database.prepare(
    'SELECT MIN(next_at) AS next_at FROM notifications WHERE next_at IS NOT NULL',
  );
  const updatePostponed = database.prepare(
    'UPDATE notifications SET postponed = ?, next_at = ? WHERE id = ? AND next_at IS NOT NULL',
  );
  const updateReleased = database.prepare(
    `UPDATE notifications SET next_at = ?, postponed = 'released' WHERE postponed = 'reorder' AND next_at > ?`,
  );
  const updateAttempted = database.prepare(
    `UPDATE notifications SET attempts = ?, state = ?, next_at = ?,
       postponed = CASE postponed WHEN 'reorder' THEN 'released' ELSE postponed END
     WHERE id = ?`,
  );
  const deleteUnsent = database.prepare(
    'DELETE FROM notifications WHERE id = ? AND attempts = 0 AND next_at IS NOT NULL',
  );
  const selectPending = database.prepare('SELECT * FROM notifications WHERE next_at IS NOT NULL');
  const updateNotice = database.prepare(
    'UPDATE notifications SET sign_type = ?, fields = ? WHERE id = ?',
  );
  const insertAttempt = database.prepare(
    'INSERT INTO attempts (notification_id, attempt, at, outcome, detail) VALUES (?, ?, ?, ?, ?)',
  );
  const selectOfOrder = database.prepare(
    'SELECT * FROM notifications WHERE out_trade_no = ? ORDER BY id',
  );
  const selectAttempts = database.prepare(
    'SELECT * FROM attempts WHERE notification_id = ? ORDER BY id',
  );

  return {
    schedule(outTradeNo, notifyUrl, notice, dueAtMs) {
      const maxAttempts = RETRY_GAPS_SECONDS.length + 1;
      const values = [...writeNotice(notice), maxAttempts, dueAtMs, null] as const;
      return Number(insert.run(outTradeNo, notifyUrl, ...values).lastInsertRowid);
    },
    withdraw: (id) => void deleteUnsent.run(id),
    scheduleCopy({ outTradeNo, notifyUrl, notice }, dueAtMs) {
      insert.run(outTradeNo, notifyUrl, ...writeNotice(notice), 1, dueAtMs, 'copy');
    },
    listDue: (untilMs, limit) => selectDue.all(untilMs, limit).map(toNotification),
    nextDueMs() {
      const next = selectNext.get()?.['next_at'];
      return next === null || next === undefined ? undefined : Number(next);
    },
    postpone: (id, reason, untilMs) => void updatePostponed.run(reason, untilMs, id),
    releaseReordered: (nowMs) => void updateReleased.run(nowMs, nowMs),
    record(notification, ends) {
      const attempt = notification.attempts + 1;
      const acknowledged = ends.some(({ outcome }) => outcome === 'acknowledged');
      const gap = RETRY_GAPS_SECONDS[attempt - 1];
      const mayRetry = !acknowledged && attempt < notification.maxAttempts && gap !== undefined;
      const startedAtMs = ends[0]?.atMs ?? 0;
      book.transaction(() => {
        const { changes } = updateAttempted.run(
          attempt,
          acknowledged ? 'acknowledged' : mayRetry ? 'pending' : 'given-up',
          mayRetry ? startedAtMs + gap * 1000 : null,
          notification.id,
        );
        // A reset in between has taken the notification away.
        for (const { atMs, outcome, attempt: _, ...detail } of Number(changes) ? ends : []) {
          insertAttempt.run(notification.id, attempt, atMs, outcome, JSON.stringify(detail));
        }
      });
    },
    rewritePending(rewrite) {
      book.transaction(() => {
        for (const { id, notice } of selectPending.all().map(toNotification)) {
          updateNotice.run(...writeNotice(rewrite(notice)), id);
        }
      });
    },
    listOf: (outTradeNo) =>
      selectOfOrder.all(outTradeNo).map((row) => ({
        notification: toNotification(row),
        attempts: selectAttempts.all(Number(row['id'])).map((attempt) => ({
          attempt: Number(attempt['attempt']),
          atMs: Number(attempt['at']),
          outcome: String(attempt['outcome']) as Outcome,
          ...(JSON.parse(String(attempt['detail'])) as AttemptDetail),
        })),
      })),
  };
}
