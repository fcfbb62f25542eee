/**
 * A shop under overload, in virtual time: buyers make orders, most of which nobody pays; the schedule
 * starts a run of reconcile each minute; WeChat answers in its time, or never. All from one seed.
 */
import { createHash } from 'node:crypto';
import { WechatPayServiceError, WechatPayTransportError } from '../../lib/errors.ts';
import { checkOrder } from '../../lib/reconcile/order.ts';
import { startPatience } from '../../lib/reconcile/patience.ts';
import { type ReconcileSummary, runReconcile } from '../../lib/reconcile/run.ts';
import type { Order } from '../../lib/order/order.ts';
import type { Table } from '../../lib/table/client.ts';
import { keyOf, texts } from '../../lib/table/attributes.ts';
import { orderToItem } from '../../lib/table/order-row.ts';
import { openKeys, refundKey } from '../../lib/table/schema.ts';
import { isoTime } from '../../lib/time.ts';
import type { OrderReference, QueryResult } from '../../lib/wechatpay/operations.ts';
import { memoryTable } from './memory-table.ts';
import { NO_REFUNDS, unpaid } from './reconcile-run.ts';
import { recordingLog } from './recording-log.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from './sample-orders.ts';
import { virtualTime } from './virtual-time.ts';

/** What becomes of an order: nobody pays it; it is paid and its notification lost; WeChat never answers
 * about it, or cannot be reached; or it is no order but a refund, which is due after a minute. */
type Fate = 'abandoned' | 'paid' | 'hangs' | 'unreachable' | 'refunded';

interface Arrival {
  /** Seconds since the beginning. */
  readonly at: number;
  readonly fate: Fate;
  /** Of a paid one: so many seconds later. */
  readonly paidAfter?: number;
  /** Somebody looks at it then, and the payment comes after that look. */
  readonly isAsked?: boolean;
  readonly changes?: Partial<Order>;
}

export interface Overload {
  readonly seed: string;
  readonly arrivals: (random: () => number) => Arrival[];
  readonly minutes: number;
  /** Of one answer of WeChat's. */
  readonly latencyMs: (random: () => number) => number;
  /** Of one operation at the table. */
  readonly tableMs?: number;
  /** The part of WeChat's answers that only say that it was asked too often. */
  readonly throttled?: number;
}

export interface Course {
  readonly runs: readonly ReconcileSummary[];
  /** Of each paid order: seconds from its payment until it was SUCCESS here; absent when never. */
  readonly foundAfter: readonly (number | undefined)[];
  /** Of each paid order: in which run it was found, the first being 0. */
  readonly foundInRun: readonly (number | undefined)[];
  /** Of each refund: seconds from when it was due until it was looked at. */
  readonly refundsAfter: readonly (number | undefined)[];
  readonly calls: number;
}

/** Numbers between 0 and 1 that only the seed decides. */
function randomFrom(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE();
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_00_00_00_00;
  };
}

const TIMEOUT_MS = 55_000;
const REFUND_DUE_SECONDS = 60;

export async function runOverload(overload: Overload): Promise<Course> {
  const random = randomFrom(overload.seed);
  const time = virtualTime(CREATED_AT * 1000);
  const { rows, client } = memoryTable(() => time.sleep(overload.tableMs ?? 10));
  const table: Table = {
    client,
    tableName: 'orders',
    scope: 'orders',
    randomBytes: (size) => Buffer.from(Array.from({ length: size }, () => random() * 256)),
    startTimer: time.startTimer,
  };
  const secondsNow = () => time.nowMs() / 1000 - CREATED_AT;
  const arrivals = overload
    .arrivals(random)
    .map((arrival, index) => ({ ...arrival, outTradeNo: `flood-${1_000_000 + index}` }))
    .toSorted((a, b) => a.at - b.at);
  const byNumber = new Map(arrivals.map((arrival) => [arrival.outTradeNo, arrival]));
  const paidAt = ({ at, paidAfter = 0 }: Arrival) => at + paidAfter;
  let calls = 0;
  const ask = async (outTradeNo: string): Promise<QueryResult> => {
    const arrival = byNumber.get(outTradeNo) as Arrival;
    calls += 1;
    if (arrival.fate === 'hangs') {
      return new Promise<never>(() => undefined);
    }
    await time.sleep(overload.latencyMs(random));
    if (random() < (overload.throttled ?? 0)) {
      throw new WechatPayServiceError('unknown', 'FREQUENCY_LIMITED', '频率限制');
    }
    if (arrival.fate === 'unreachable') {
      throw new WechatPayTransportError('not-sent', 'no host could be connected to');
    }
    return arrival.fate === 'paid' && secondsNow() >= paidAt(arrival)
      ? { kind: 'paid', refunded: false, payment: samplePayment({ outTradeNo }) }
      : unpaid;
  };
  const wechatPay = {
    ...NO_REFUNDS,
    queryOrder: ({ outTradeNo }: OrderReference) => ask(outTradeNo),
    closeOrder: async ({ outTradeNo }: OrderReference) =>
      (await ask(outTradeNo)).kind === 'paid' ? ('already-paid' as const) : ('closed' as const),
  };

  const found = new Map<string, { readonly at: number; readonly run: number }>();
  let run = 0;
  const reconcile = () => {
    const startedAtMs = time.nowMs();
    const context = {
      table,
      log: recordingLog(),
      nowMs: time.nowMs,
      remainingMs: () => TIMEOUT_MS - (time.nowMs() - startedAtMs),
      patience: startPatience(),
      wechatPay: () => wechatPay,
      paymentAfterClose: 'keep',
      notifyBaseUrl: 'https://pay.example.com',
      onProgress: () => undefined,
    } as const;
    return runReconcile(context, {
      order: async (id, row) => {
        const ending = await checkOrder(context, id, row);
        if (ending === 'paid') {
          found.set(id.outTradeNo, { at: secondsNow(), run });
        }
        return ending;
      },
      refund: async (id) => {
        calls += 1;
        await time.sleep(overload.latencyMs(random));
        await put(keyOf(refundKey(id)));
        refundsSeen.set(id.outRefundNo, secondsNow());
        return 'refunded';
      },
    });
  };

  const put = (Item: object) =>
    client.send({ constructor: { name: 'PutItemCommand' }, input: { Item } } as never);
  const refundsSeen = new Map<string, number>();
  /** Only its place in the index: what a check does is not under test here. */
  const refundRow = (outTradeNo: string, dueAt: number) => ({
    ...keyOf(refundKey({ ...orderId(outTradeNo), outRefundNo: outTradeNo })),
    ...texts(openKeys(orderId(outTradeNo), 'refund', isoTime(dueAt))),
  });

  let next = 0;
  const arrive = async () => {
    for (; next < arrivals.length; next += 1) {
      const { at, fate, outTradeNo, isAsked, changes } = arrivals[
        next
      ] as (typeof arrivals)[number];
      while (secondsNow() < at) {
        await time.sleep(Math.min(1_000, (at - secondsNow()) * 1000));
      }
      const createdAtEpochSeconds = CREATED_AT + Math.floor(at);
      const asked = isAsked && { isAskedAbout: true };
      await put(
        fate === 'refunded'
          ? refundRow(outTradeNo, createdAtEpochSeconds + REFUND_DUE_SECONDS)
          : orderToItem(sampleOrder({ outTradeNo, createdAtEpochSeconds, ...asked, ...changes })),
      );
    }
  };
  const runs: ReconcileSummary[] = [];
  const schedule = async () => {
    for (; run < overload.minutes; run += 1) {
      const startedAtMs = time.nowMs();
      runs.push(await reconcile());
      await time.sleep(60_000 - (time.nowMs() - startedAtMs));
    }
  };
  await time.until(Promise.all([arrive(), schedule()]));

  const paid = arrivals.filter(({ fate }) => fate === 'paid');
  const foundAfter = paid.map((arrival) => {
    const at = found.get(arrival.outTradeNo)?.at;
    return at === undefined ? undefined : at - paidAt(arrival);
  });
  const unfound = paid.filter(({ outTradeNo }) => !found.has(outTradeNo));
  if (
    unfound.some(
      ({ outTradeNo }) => rows.get(`ORDER#${outTradeNo}|ORDER`)?.['tradeState']?.S === 'SUCCESS',
    )
  ) {
    throw new Error('an order became paid unseen');
  }
  return {
    runs,
    foundAfter,
    foundInRun: paid.map(({ outTradeNo }) => found.get(outTradeNo)?.run),
    refundsAfter: arrivals
      .filter(({ fate }) => fate === 'refunded')
      .map(({ at, outTradeNo }) => {
        const seen = refundsSeen.get(outTradeNo);
        return seen === undefined ? undefined : seen - Math.floor(at) - REFUND_DUE_SECONDS;
      }),
    calls,
  };
}
