/** Messages of both programs as one story: who asked whom, in what order, with what outcome. */
import { type EventDelivery, listDeliveries } from './event-deliveries.ts';
import type { LocalMessage, Messages, Outcome, WechatMessage } from './messages.ts';
import { judgeStatus, judgeWechat } from './outcomes.ts';
import { describeTableCall } from './table-calls.ts';

export type Party = 'mini' | 'api' | 'table' | 'bus' | 'wechat';

export interface Exchange {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number | undefined;
  /** The stack's clock. */
  readonly time: string;
  readonly from: Party;
  /** The same as `from` for what a function does by itself. */
  readonly to: Party;
  readonly label: string;
  readonly outcome: Outcome;
  /** `200`, `SUCCESS`, `lost`, … */
  readonly result: string;
  readonly outTradeNo: string | undefined;
  readonly buyer?: string | undefined;
  readonly wechat?: WechatMessage;
  readonly local?: LocalMessage;
  /** An event on its way to EventBridge, once or several times in a row with the same end. */
  readonly event?: EventDelivery;
}

/** A delivery takes at most 5 seconds from WeChat's note to ours. */
const SAME_DELIVERY_MS = 6000;

export function toExchanges({ wechat, local }: Messages): Exchange[] {
  const arrived = local.filter(({ from }) => from === 'wechat');
  const matched = new Set<LocalMessage>();
  const ofWechat = wechat.map((message) => {
    const arrival =
      message.kind === 'notify'
        ? arrived.find((one) => !matched.has(one) && isSameDelivery(message, one))
        : undefined;
    if (arrival) {
      matched.add(arrival);
    }
    return fromWechat(message, arrival);
  });
  const hidden = listQuietInvocations(local);
  const ofLocal = local
    .filter((message) => !matched.has(message) && !isQuiet(message, hidden))
    .map(fromLocal);
  const ofBus = listDeliveries(local).map(fromDelivery);
  return [...ofWechat, ...ofLocal, ...ofBus].sort((a, b) => a.startMs - b.startMs);
}

const isSameDelivery = (message: WechatMessage, delivery: LocalMessage) =>
  delivery.request.body === message.request.body &&
  Math.abs(delivery.epochMs - message.epochMs) < SAME_DELIVERY_MS;

/** Scheduled runs of reconcile that found nothing due: one a minute would bury everything else. */
function listQuietInvocations(local: readonly LocalMessage[]): Set<string> {
  return new Set(
    local
      .filter(({ from, response }) => from === 'schedule' && (!response || isIdle(response.body)))
      .map(({ invocationId }) => invocationId),
  );
}

const isIdle = (body: string) => /"due":0\b/.test(body);

/**
 * Also the index pages without a row, of which there is one for each shard; and what is shown as the
 * events it was about: calls of EventBridge, runs of the function that makes them, and what it puts
 * into the archive again.
 */
function isQuiet(message: LocalMessage, hidden: Set<string>): boolean {
  const { invocationId, method, to, path, functionName, response } = message;
  return (
    hidden.has(invocationId) ||
    (method === 'Query' && /"Count":0\b/.test(response?.body ?? '')) ||
    to === 'event-bus' ||
    (path === 'publish' && hasFailed(message) !== true) ||
    (functionName === 'publish' && response?.status === 400)
  );
}

/** It threw, or passed a row over that it could not read. */
const hasFailed = ({ response, log }: LocalMessage) =>
  (response?.status ?? 0) >= 400 || log?.some(({ message }) => /cannot be read/.test(message));

function fromDelivery(event: EventDelivery): Exchange {
  const { key, eventId, detailType, outTradeNo, outcome, result, last, startMs, endMs } = event;
  return {
    key,
    startMs,
    endMs,
    time: event.time,
    from: 'api',
    to: 'bus',
    label: `${detailType} ${shortenEventId(eventId)}`,
    outcome,
    result,
    outTradeNo,
    local: last,
    event,
  };
}

/** `4f00c2….1`, `4f00c2….shirt-….2`: the sequence stays. */
const shortenEventId = (eventId: string) =>
  eventId.replace(/[^.]{13,}/g, (part) => `${part.slice(0, 6)}…`);

function fromWechat(message: WechatMessage, delivery: LocalMessage | undefined): Exchange {
  const phone = /^phone of (.*)$/s.exec(message.from)?.[1];
  const from = phone !== undefined ? 'mini' : message.from === 'merchant' ? 'api' : 'wechat';
  const { outcome, result } = judgeWechat(message, delivery?.response?.status);
  return {
    key: `wechat-${message.id}`,
    startMs: message.epochMs,
    endMs: message.response && message.epochMs + Math.max(message.durationMs ?? 0, 0.4),
    time: message.time,
    from,
    to: message.to === 'merchant' ? 'api' : 'wechat',
    label: labelOf(message),
    outcome,
    result,
    outTradeNo: findOrderNumber(
      message.plaintext ?? message.request.body,
      message.response?.body,
      message.path,
    ),
    buyer: phone,
    wechat: message,
    ...(delivery && { local: delivery }),
  };
}

/** By the end of the address: a call that never got to its operation has no other name. */
const V3_CALLS: readonly (readonly [address: RegExp, label: string])[] = [
  [/transactions\/jsapi$/, 'v3 JSAPI order'],
  [/transactions\/native$/, 'v3 Native order'],
  [/\/close$/, 'v3 close'],
  [/transactions\/(id|out-trade-no)\/[^/]+$/, 'v3 query'],
  [/\/certificates$/, 'v3 certificates'],
  [/\/refunds$/, 'v3 refund'],
  [/\/refunds\/[^/]+$/, 'v3 refund query'],
];

function labelOf({ kind, path }: WechatMessage): string {
  const [address = path] = path.split('?', 1);
  if (address.startsWith('/v3/')) {
    return V3_CALLS.find(([pattern]) => pattern.test(address))?.[1] ?? address;
  }
  const names: Record<string, string> = {
    login: 'wx.login',
    requestPayment: 'wx.requestPayment',
    'refund-in-console': 'refund by hand',
    notify: `POST ${URL.parse(path)?.pathname ?? path}`,
  };
  return names[kind] ?? kind;
}

function fromLocal(message: LocalMessage): Exchange {
  const isTable = message.to === 'table';
  const isOwn = message.from === 'schedule' || message.from === 'tool';
  // The merchant's own people ask, whom the diagram has no lane for.
  const isMerchants = /^\/orders\/[^/]+\/refunds\b/.test(message.path);
  const status = message.response?.status;
  const table = isTable ? describeTableCall(message) : undefined;
  return {
    key: `local-${message.id}`,
    startMs: message.epochMs,
    endMs: message.durationMs === undefined ? undefined : message.epochMs + message.durationMs,
    time: message.time,
    from: isTable || isOwn || isMerchants ? 'api' : message.from === 'wechat' ? 'wechat' : 'mini',
    to: isTable ? 'table' : 'api',
    label: isTable
      ? message.method
      : isOwn
        ? message.path
        : `${message.method} ${shortenPath(message.path)}`,
    outcome: table?.outcome ?? judgeStatus(status),
    result: table?.result ?? (isOwn ? describeRun(message) : (status?.toString() ?? '')),
    outTradeNo: findOrderNumber(message.request.body, message.response?.body, message.path),
    local: message,
  };
}

/** `due 1 · paid 1` */
function describeRun({ response }: LocalMessage): string {
  if (!response) {
    return '';
  }
  const counts = [...response.body.matchAll(/"(\w+)":([1-9]\d*)/g)];
  return counts.map(([, name, count]) => `${name} ${count}`).join(' · ') || 'nothing due';
}

const shortenPath = (path: string) =>
  path.replace(/[0-9a-f]{24,}/, (number) => `${number.slice(0, 6)}…`);

const NUMBERS = [
  /ORDER#([\w|*-]+)/,
  /"outTradeNo":"([\w|*-]+)"/,
  // Of rows that have no order's key: a payment of no order, and what is archived beside it.
  /":?outTradeNo":\{"S":"([\w|*-]+)"/,
  /\\"out_trade_no\\":\\"([\w|*-]+)\\"/,
  /"out_trade_no":"([\w|*-]+)"/,
  /\/out-trade-no\/([\w|*-]+)/,
  /<out_trade_no>(?:<!\[CDATA\[)?([\w|*-]+)/,
  /^\/orders\/([\w|*-]+)/,
];

function findOrderNumber(...texts: (string | undefined)[]): string | undefined {
  for (const text of texts) {
    for (const pattern of NUMBERS) {
      const number = pattern.exec(text ?? '')?.[1];
      if (number !== undefined) {
        return number;
      }
    }
  }
  return undefined;
}
