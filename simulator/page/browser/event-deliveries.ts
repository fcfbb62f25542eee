/** Events on their way to EventBridge, read out of the calls that carried them. */
import type { LocalMessage, Outcome } from './messages.ts';

/** One event, brought to EventBridge once, or several times in a row with the same end. */
export interface EventDelivery {
  readonly key: string;
  readonly eventId: string;
  readonly sequence: number;
  readonly detailType: string;
  readonly outTradeNo: string | undefined;
  /** JSON. */
  readonly detail: string;
  readonly outcome: Outcome;
  /** `taken`, `taken again`, `refused`, `away`, `no answer`; empty: not answered yet. */
  readonly result: string;
  /** EventBridge's own words for a refusal. */
  readonly reason: string | undefined;
  /** How many times in a row. */
  readonly count: number;
  readonly startMs: number;
  readonly endMs: number | undefined;
  /** The stack's clock, of the first of them. */
  readonly time: string;
  /** The last call that carried it. */
  readonly last: LocalMessage;
}

interface Entry {
  readonly DetailType: string;
  readonly Detail: string;
}

interface Answer {
  readonly Entries?: readonly { readonly ErrorCode?: string; readonly ErrorMessage?: string }[];
  readonly __type?: string;
}

type Ending = Pick<EventDelivery, 'outcome' | 'result' | 'reason'>;

/** In order. An event that was taken before and comes again is told apart from the first time. */
export function listDeliveries(local: readonly LocalMessage[]): EventDelivery[] {
  const calls = local.filter(({ to }) => to === 'event-bus');
  const ended = listEndedInvocations(local);
  const deliveries = new Map<string, EventDelivery>();
  const lastOf = new Map<string, EventDelivery>();
  const taken = new Set<string>();
  for (const call of calls) {
    const answer = parse(call.response?.body) as Answer | undefined;
    for (const [index, entry] of readEntries(call).entries()) {
      const ending = judge(call, answer, index, ended);
      const delivery = continueOrBegin(call, entry, ending, lastOf, taken);
      if (delivery.outcome === 'ok') {
        taken.add(delivery.eventId);
      }
      lastOf.set(delivery.eventId, delivery);
      deliveries.set(delivery.key, delivery);
    }
  }
  return [...deliveries.values()];
}

/** A call without an answer gets none any more when its function has ended. */
const listEndedInvocations = (local: readonly LocalMessage[]) =>
  new Set(
    local
      .filter(({ to, response }) => to === 'api' && response !== undefined)
      .map(({ invocationId }) => invocationId),
  );

function continueOrBegin(
  call: LocalMessage,
  { DetailType, Detail }: Entry,
  ending: Ending,
  lastOf: ReadonlyMap<string, EventDelivery>,
  taken: ReadonlySet<string>,
): EventDelivery {
  const { eventId, sequence, outTradeNo } = readDetail(Detail);
  const isAgain = ending.result === 'taken' && taken.has(eventId);
  const result = isAgain ? 'taken again' : ending.result;
  const endMs = call.durationMs === undefined ? undefined : call.epochMs + call.durationMs;
  const before = lastOf.get(eventId);
  if (before && before.result === result && before.outcome !== 'pending') {
    return { ...before, ...ending, result, count: before.count + 1, endMs, last: call };
  }
  return {
    key: `event-${eventId}-${call.id}`,
    eventId,
    sequence,
    detailType: DetailType,
    outTradeNo,
    detail: Detail,
    ...ending,
    result,
    count: 1,
    startMs: call.epochMs,
    endMs,
    time: call.time,
    last: call,
  };
}

function judge(
  { response, invocationId }: LocalMessage,
  answer: Answer | undefined,
  index: number,
  ended: ReadonlySet<string>,
): Ending {
  if (!response) {
    return ended.has(invocationId)
      ? { outcome: 'failed', result: 'no answer', reason: undefined }
      : { outcome: 'pending', result: '', reason: undefined };
  }
  if (response.status !== 200) {
    const result = response.status === 503 ? 'away' : 'refused';
    return { outcome: 'failed', result, reason: answer?.__type ?? String(response.status) };
  }
  const { ErrorCode, ErrorMessage = '' } = answer?.Entries?.[index] ?? {};
  return ErrorCode === undefined
    ? { outcome: 'ok', result: 'taken', reason: undefined }
    : { outcome: 'refused', result: 'refused', reason: `${ErrorCode}: ${ErrorMessage}` };
}

function readEntries({ request }: LocalMessage): readonly Entry[] {
  const { Entries = [] } = (parse(request.body) ?? {}) as { Entries?: readonly Entry[] };
  return Entries;
}

function readDetail(detail: string) {
  const { eventId, sequence, outTradeNo } = (parse(detail) ?? {}) as Record<string, unknown>;
  return {
    eventId: String(eventId),
    sequence: Number(sequence),
    outTradeNo: typeof outTradeNo === 'string' ? outTradeNo : undefined,
  };
}

/** Undefined when it is no JSON. */
function parse(body: string | undefined): unknown {
  try {
    return JSON.parse(body ?? '');
  } catch {
    return undefined;
  }
}
