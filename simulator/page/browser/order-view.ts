/** The current order: its row, its history, and whether WeChat and the table agree. */
import { element } from './dom.ts';
import { showEvents } from './event-view.ts';
import type { LocalMessage } from './messages.ts';
import { showNotices } from './notice-view.ts';
import { type ArchivedNotice, explainSilence, type Notice, whoFoundPayment } from './notices.ts';
import { countAwaited, listPublished, type StoredEvent } from './published-events.ts';
import { showRefunds } from './refund-view.ts';
import type { RefundRow, Row } from './rows.ts';
import { describeWrite } from './table-calls.ts';
import { clockTime, text } from './texts.ts';

export interface TableOrder {
  readonly row: Row;
  readonly refunds: readonly RefundRow[];
  readonly notifications: readonly ArchivedNotice[];
  readonly events: readonly StoredEvent[];
  readonly writes: readonly LocalMessage[];
}

export interface WechatOrder {
  readonly tradeState: string;
  /** What the order was made with. */
  readonly request?: { readonly notify_url?: string };
  readonly notifications: readonly {
    readonly notifyUrl: string;
    readonly nextAttemptAt: string | null;
  }[];
}

export interface OrderPicture {
  /** Undefined: the table has no such order. */
  readonly table: TableOrder | undefined;
  /** Undefined: WeChat has never heard of it. */
  readonly wechat: WechatOrder | undefined;
  readonly notices: readonly Notice[];
  /** What EventBridge took, as far as the messages tell; the table's own list has more. */
  readonly events: readonly StoredEvent[];
}

const FIRST_ATTRIBUTES = [
  'PK',
  'tradeState',
  'closingAt',
  'totalFen',
  'description',
  'createdAt',
  'expiresAt',
  'paidAt',
  'transactionId',
  'refundableFen',
  'refundCount',
  'GSI1SK',
  'checks',
];

/** `onOpen` shows a message in full. */
export function showOrder(picture: OrderPicture, onOpen: (key: string) => void): HTMLElement {
  const { table, wechat } = picture;
  if (!table) {
    return element(
      'article.order',
      {},
      element('p.callout', { 'data-outcome': 'refused' }, text('noRow')),
      showWechatsWords(picture, onOpen),
      showEvents(listPublished(picture.events), 0),
    );
  }
  const { row, refunds, writes } = table;
  const events = listPublished(table.events);
  return element(
    'article.order',
    {},
    element(
      'p.order-state',
      {},
      element('span.state', { 'data-state': row.tradeState }, row.tradeState),
      element('span.amount', {}, `¥${(Number(row['totalFen']) / 100).toFixed(2)}`),
      element('span', {}, formatValue(row['description'] ?? '')),
    ),
    showAgreement(row, wechat),
    row.tradeState === 'NOTPAY' && row['closingAt'] !== undefined && showClosing(row['GSI1SK']),
    row['paidAfterClose'] === true &&
      element('p.callout', { 'data-outcome': 'refused' }, text('flagged')),
    row['mismatch'] !== undefined && showMismatch(row['mismatch'] as Record<string, unknown>),
    showRefunds(row, refunds),
    showWechatsWords(picture, onOpen),
    showEvents(events, countAwaited(row, refunds, events)),
    element('h3', {}, text('history')),
    element('ol.history', {}, ...writes.map(showWrite)),
    element('h3', {}, text('row')),
    showRow(row),
  );
}

function showWechatsWords(
  { table, wechat, notices }: OrderPicture,
  onOpen: (key: string) => void,
): HTMLElement {
  const given = table?.row['prepayRequest'] as { notify_url?: string } | undefined;
  const notifications = wechat?.notifications ?? [];
  return showNotices(
    {
      notices,
      silence: explainSilence(notices, table?.row, wechat?.tradeState),
      foundBy: whoFoundPayment(table?.writes ?? []),
      notifyUrl: notifications[0]?.notifyUrl ?? wechat?.request?.notify_url ?? given?.notify_url,
      nextAttemptAt:
        notifications.map(({ nextAttemptAt }) => nextAttemptAt).find((at) => at !== null) ??
        undefined,
    },
    onOpen,
  );
}

function showClosing(due: unknown): HTMLElement {
  const next = typeof due === 'string' ? text('closesAt', { time: clockTime(due) }) : '';
  return element('p.callout', { 'data-outcome': 'pending' }, text('closing'), ` ${next}`);
}

function showMismatch({ field, expected, observed }: Record<string, unknown>): HTMLElement {
  const values = { field: String(field), expected: String(expected), observed: String(observed) };
  return element('p.callout', { 'data-outcome': 'refused' }, text('mismatched', values));
}

function showAgreement(row: Row, wechat: WechatOrder | undefined): HTMLElement {
  const atWechat = wechat?.tradeState ?? '–';
  if (atWechat === row.tradeState) {
    return element('p.callout.agreement', { 'data-outcome': 'ok' }, text('inStep'));
  }
  const retry = wechat?.notifications.map(({ nextAttemptAt }) => nextAttemptAt).find(Boolean);
  const due = row['GSI1SK'];
  const ways = [
    row.tradeState === 'NOTPAY' && text('healsByQuery'),
    typeof due === 'string' && text('healsByReconcile', { time: clockTime(due) }),
    retry && text('healsByRetry', { time: clockTime(retry) }),
  ].filter((way) => typeof way === 'string');
  return element(
    'p.callout.agreement',
    { 'data-outcome': 'refused' },
    text('outOfStep', { wechat: atWechat, table: row.tradeState }),
    ways.length > 0 && ` ${text('healsBy', { ways: ways.join(', ') })}`,
  );
}

function showWrite(message: LocalMessage): HTMLElement {
  const { kind, from = '', to = '', isWritten, condition } = describeWrite(message);
  const names = {
    created: 'historyCreated',
    moved: isWritten ? 'historyMoved' : 'historyMovedRefused',
    closing: 'historyClosing',
    checked: 'historyChecked',
    mismatch: 'historyMismatch',
    reserved: 'historyReserved',
    refund: 'historyRefund',
    archived: 'historyArchived',
    other: 'historyOther',
  } as const;
  return element(
    'li',
    { 'data-outcome': isWritten ? 'ok' : 'refused' },
    element('time', {}, clockTime(message.time)),
    element(
      'div',
      {},
      element('p', {}, text(names[kind], { from, to })),
      element('p.by', {}, `${message.functionName} · ${message.method}`),
      condition !== undefined &&
        element(
          'details',
          {},
          element('summary', {}, text('condition')),
          element('code.condition', {}, condition),
        ),
    ),
  );
}

function showRow(row: Row): HTMLElement {
  const rest = Object.keys(row)
    .filter((name) => !FIRST_ATTRIBUTES.includes(name))
    .sort();
  return element(
    'div',
    {},
    showAttributes(
      row,
      FIRST_ATTRIBUTES.filter((name) => name in row),
    ),
    element(
      'details',
      {},
      element('summary', {}, `${text('allAttributes')} (${Object.keys(row).length})`),
      showAttributes(row, rest),
    ),
  );
}

function showAttributes(row: Row, names: readonly string[]): HTMLElement {
  return element(
    'dl.fields',
    {},
    ...names.flatMap((name) => [
      element('dt', {}, name),
      element('dd', {}, formatValue(row[name])),
    ]),
  );
}

const formatValue = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : JSON.stringify(value, undefined, 1);
