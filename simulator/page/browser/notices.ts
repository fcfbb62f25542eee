/** What WeChat sent about an order, what was made of it here, and what WeChat was told. */
import type { Exchange } from './exchanges.ts';
import type { LocalMessage } from './messages.ts';
import type { Row } from './rows.ts';
import { describeWrite } from './table-calls.ts';
import { readV3Error, readXml } from './wechat-answers.ts';

/** A row of the archive of notifications. */
export interface ArchivedNotice {
  /** `NOTIFICATION#<receivedAt>#<id>` */
  readonly SK: string;
  readonly id: string;
  readonly receivedAt: string;
  readonly kind: string;
  readonly decision: string;
  readonly from?: string;
  readonly to?: string;
  readonly answer: number;
  /** JSON of what was verified. */
  readonly message?: string;
}

export interface Notice {
  /** The stack's clock. */
  readonly at: string;
  readonly kind: 'payment' | 'refund';
  /** WeChat's own id in API v3, a digest of the body in v2; unknown of what was not archived in v2. */
  readonly id: string | undefined;
  /**
   * The decision that was recorded; `duplicate` of what changed nothing, `refused`, `failed` (to be
   * sent again), `waiting`, or `lost`: it never came here.
   */
  readonly decision: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** The status that WeChat was told; undefined: nothing was said. */
  readonly answer: number | undefined;
  /** The words beside the status, and why, as the function logged it. */
  readonly words: string;
  readonly reason: string | undefined;
  readonly isArchived: boolean;
  readonly message?: string | undefined;
  /** The arrow of the diagram; undefined: a message of an earlier run. */
  readonly exchangeKey?: string;
}

/** What a write carried of the notification that led to it. */
interface Carried {
  readonly key: string;
  readonly decision: string | undefined;
}

const ARCHIVE_PREFIX = 'NOTIFICATION#';

/**
 * In order of time. `exchanges` are those of the order; what the archive has from an earlier run of
 * the stack is listed too.
 */
export function listNotices(
  archive: readonly ArchivedNotice[],
  exchanges: readonly Exchange[],
): Notice[] {
  const carried = listCarried(exchanges);
  const archived = listArchived(exchanges);
  const rows = new Map(archive.map((row) => [row.SK.slice(ARCHIVE_PREFIX.length), row]));
  const seen = exchanges.filter(isNotification).map((exchange) => {
    const found = carried.get(exchange.local?.invocationId ?? '');
    const row = found && rows.get(found.key);
    if (found) {
      rows.delete(found.key);
    }
    const isArchived = row !== undefined || archived.has(found?.key ?? '');
    return { ...describe(exchange, found, row), isArchived };
  });
  return [...seen, ...[...rows.values()].map(fromArchive)].sort((a, b) => a.at.localeCompare(b.at));
}

const isNotification = ({ wechat, local }: Exchange) =>
  wechat?.kind === 'notify' || local?.from === 'wechat';

/** By the call of the function that wrote it. */
function listCarried(exchanges: readonly Exchange[]): Map<string, Carried> {
  return new Map(
    exchanges.flatMap(({ local, outcome, to }) => {
      const body = to === 'table' && outcome === 'ok' ? (local?.request.body ?? '') : '';
      const key = /"key":\{"S":"(\d{4}-[^"#]+#[^"]+)"/.exec(body)?.[1];
      return local && local.functionName === 'notify' && key !== undefined
        ? [[local.invocationId, { key, decision: readDecision(body) }] as const]
        : [];
    }),
  );
}

/** The keys that were seen on their way into the archive; nobody lists it for a payment of no order. */
const listArchived = (exchanges: readonly Exchange[]) =>
  new Set(
    exchanges.flatMap(({ to, outcome, local }) =>
      to === 'table' && outcome === 'ok' && local?.functionName === 'publish'
        ? (/"NOTIFICATION#([^"]+)"/.exec(local.request.body)?.slice(1) ?? [])
        : [],
    ),
  );

const readDecision = (body: string) => /"decision":\{"S":"([\w-]+)"/.exec(body)?.[1];

function describe(
  exchange: Exchange,
  carried: Carried | undefined,
  row: ArchivedNotice | undefined,
): Omit<Notice, 'isArchived'> {
  const { wechat, local } = exchange;
  const { path, request } = local ?? wechat ?? { path: '', request: { body: '' } };
  const answer = local?.response?.status;
  return {
    at: local?.time ?? exchange.time,
    kind: path.includes('refund') ? 'refund' : 'payment',
    id: row?.id ?? carried?.key.split('#')[1] ?? readId(request.body),
    decision: row?.decision ?? carried?.decision ?? judge(local, answer),
    from: row?.from,
    to: row?.to,
    answer,
    words: readWords(local?.response?.body ?? ''),
    reason: local ? readReason(local) : (wechat?.note ?? wechat?.fault),
    message: row?.message,
    exchangeKey: exchange.key,
  };
}

function judge(local: LocalMessage | undefined, answer: number | undefined): string {
  if (!local) {
    return 'lost';
  }
  if (answer === undefined) {
    return 'waiting';
  }
  return answer >= 500 ? 'failed' : answer >= 400 ? 'refused' : 'duplicate';
}

/** The id of an envelope of API v3. */
const readId = (body: string) => /^\s*\{.*?"id":"([\w-]+)"/s.exec(body)?.[1];

/** `SUCCESS OK`, `FAIL SIGNATURE_INVALID` */
function readWords(body: string): string {
  const error = readV3Error(body);
  const words = error
    ? [error.code, error.message]
    : [readXml(body, 'return_code'), readXml(body, 'return_msg')];
  return [...new Set(words)].filter(Boolean).join(' ');
}

function readReason({ log = [] }: LocalMessage): string | undefined {
  const reasons = log
    .filter(({ level }) => level === 'WARN' || level === 'ERROR')
    .map(({ reason, code, message }) => reason ?? code ?? message);
  return reasons.find((one) => typeof one === 'string');
}

const fromArchive = (row: ArchivedNotice): Notice => ({
  at: row.receivedAt,
  kind: row.kind === 'refund' ? 'refund' : 'payment',
  id: row.id,
  decision: row.decision,
  from: row.from,
  to: row.to,
  answer: row.answer,
  words: '',
  reason: undefined,
  isArchived: true,
  message: row.message,
});

export type Silence =
  | 'silentUnpaid'
  | 'silentPaidThere'
  | 'silentPaidHere'
  | 'silentClosed'
  | 'silentUnknown'
  | 'onlyRefused'
  | 'onlyRefusedPaid';

/** What it means that no notification of the payment was accepted; undefined: one was. */
export function explainSilence(
  notices: readonly Notice[],
  row: Row | undefined,
  stateAtWechat: string | undefined,
): Silence | undefined {
  const arrived = notices.filter(({ kind, answer }) => kind === 'payment' && answer !== undefined);
  // Of no order every notification is refused, which is said elsewhere.
  if (arrived.some(({ answer = 0 }) => answer < 300) || (arrived.length > 0 && !row)) {
    return undefined;
  }
  const isPaidHere = isPaid(row?.tradeState);
  if (arrived.length > 0) {
    return isPaidHere ? 'onlyRefusedPaid' : 'onlyRefused';
  }
  if (isPaidHere) {
    return 'silentPaidHere';
  }
  if (isPaid(stateAtWechat)) {
    return 'silentPaidThere';
  }
  if (!row) {
    return 'silentUnknown';
  }
  return row.tradeState === 'CLOSED' ? 'silentClosed' : 'silentUnpaid';
}

const isPaid = (tradeState: string | undefined) =>
  tradeState === 'SUCCESS' || tradeState === 'REFUND';

/** The function whose write made the order paid; undefined: that was before what is kept. */
export function whoFoundPayment(writes: readonly LocalMessage[]): string | undefined {
  return writes.find((write) => {
    const { kind, to, isWritten } = describeWrite(write);
    return kind === 'moved' && isWritten && isPaid(to);
  })?.functionName;
}
