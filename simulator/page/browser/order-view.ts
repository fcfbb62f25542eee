/** The current order: its row, its history, and whether WeChat and the table agree. */
import { element } from './dom.ts';
import type { LocalMessage } from './messages.ts';
import { showRefunds } from './refund-view.ts';
import type { RefundRow, Row } from './rows.ts';
import { describeWrite } from './table-calls.ts';
import { clockTime, resultText, text } from './texts.ts';

export interface TableOrder {
  readonly row: Row;
  readonly refunds: readonly RefundRow[];
  readonly writes: readonly LocalMessage[];
}

export interface WechatOrder {
  readonly tradeState: string;
  readonly notifications: readonly {
    readonly state: string;
    readonly nextAttemptAt: string | null;
    readonly attempts: readonly {
      readonly attempt: number;
      readonly at: string;
      readonly outcome: string;
      readonly fault?: string;
      readonly error?: string;
    }[];
  }[];
}

/** Undefined at WeChat: it has never heard of the order. */
export interface OrderPicture {
  readonly table: TableOrder;
  readonly wechat: WechatOrder | undefined;
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

export function showOrder({ table, wechat }: OrderPicture): HTMLElement {
  const { row, refunds, writes } = table;
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
    element('h3', {}, text('history')),
    element('ol.history', {}, ...writes.map(showWrite)),
    element('h3', {}, text('deliveries')),
    showDeliveries(wechat),
    element('h3', {}, text('row')),
    showRow(row),
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

function showDeliveries(wechat: WechatOrder | undefined): HTMLElement {
  const notifications = wechat?.notifications ?? [];
  if (notifications.length === 0) {
    return element('p.note', {}, text('noDeliveries'));
  }
  return element(
    'ol.history',
    {},
    ...notifications
      .flatMap(({ attempts, nextAttemptAt }) => [
        ...attempts.map(({ at, attempt, outcome, fault, error }) =>
          element(
            'li',
            { 'data-outcome': outcome === 'acknowledged' ? 'ok' : 'refused' },
            element('time', {}, clockTime(at)),
            element(
              'div',
              {},
              element(
                'p',
                {},
                `${text('attempt', { n: attempt })}: ${describeAttempt(outcome, fault)}`,
              ),
              error !== undefined && element('p.by', {}, error),
            ),
          ),
        ),
        nextAttemptAt === null
          ? undefined
          : element(
              'li',
              { 'data-outcome': 'pending' },
              element('time', {}, clockTime(nextAttemptAt)),
              element('p', {}, text('nextTry', { time: clockTime(nextAttemptAt) })),
            ),
      ])
      .filter((item) => item !== undefined),
  );
}

function describeAttempt(outcome: string, fault: string | undefined): string {
  const result = resultText(outcome.replaceAll('-', ' '));
  return fault === undefined || fault === outcome ? result : `${result} (${resultText(fault)})`;
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
