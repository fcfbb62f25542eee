/** Sends notifications when they are due, by timers and when the clock is moved by hand. */
import { createCourier, type Delivery } from './delivery.ts';
import type { Fault, FaultKind, TamperPart } from '../host/faults.ts';
import type { Service } from '../host/service.ts';
import type { Surroundings } from '../surroundings/surroundings.ts';
import type { Attempt, Notification, Notifications } from './queue.ts';
import { readTotalFen } from './notice.ts';
import { type Outgoing, writeNotification } from './outgoing.ts';

const CONCURRENCY = 32;
const DEFAULT_DELAY_SECONDS = { late: 30, reorder: 10 } as const;
const LONGEST_TIMER_MS = 3600 * 1000;
/** What is due within one second counts as one moment when the clock is moved. */
const SAME_MOMENT_MS = 1000;
const MOVE_BUDGET_MS = 20_000;

export interface Notifier {
  /** Something may be due: looks now, and sets the timer for what comes next. */
  wake(): void;
  /** Moves the clock, attempting on the way whatever becomes due, in order. After 20 s of real time the rest follows in the background. */
  moveClock(advanceMs: number): Promise<void>;
  stop(): Promise<void>;
}

type Parts = Pick<
  Service,
  'account' | 'keys' | 'clock' | 'faults' | 'prices' | 'messages' | 'randomBytes'
> & {
  readonly notifications: Notifications;
};

export function createNotifier(
  parts: Parts,
  surroundings: Pick<Surroundings, 'monotonicMs' | 'startTimer' | 'openHttpClient'>,
): Notifier {
  const { clock, faults, prices, messages, notifications } = parts;
  const courier = createCourier(surroundings);
  const { monotonicMs, startTimer } = surroundings;
  const inFlight = new Map<number, Promise<void>>();
  let cancelTimer: (() => void) | undefined;
  let stopped = false;
  let moving = Promise.resolve();

  async function send(
    notification: Notification,
    outgoing: Outgoing,
    fault: Fault | undefined,
  ): Promise<Attempt> {
    const atMs = clock.now();
    const { headers, body, signature, plaintext } = outgoing;
    const message = messages.add({
      from: 'wechat',
      to: 'merchant',
      kind: 'notify',
      method: 'POST',
      path: notification.notifyUrl,
      request: { headers, body },
      ...(signature ? { signature } : {}),
      ...(plaintext === undefined ? {} : { plaintext }),
      ...(fault ? { fault: fault.kind } : {}),
    });
    const delivery: Delivery =
      fault?.kind === 'lost'
        ? { outcome: 'lost', error: 'lost on the way: the merchant never saw it' }
        : await courier.deliver(notification.notifyUrl, outgoing, { cut: fault?.kind === 'drop' });
    if (fault?.kind === 'timeout-after' && delivery.outcome === 'acknowledged') {
      delivery.outcome = 'acknowledgement-lost';
      delivery.error = 'the acknowledgement got lost: WeChat will send again';
    }
    const { outcome, answerHeaders, ...detail } = delivery;
    if (detail.httpStatus !== undefined) {
      message.response = {
        status: detail.httpStatus,
        headers: answerHeaders ?? {},
        body: detail.answer ?? '',
      };
    }
    message.note = detail.error ? `${outcome}: ${detail.error}` : outcome;
    if (outcome === 'refused' && signature?.serial) {
      message.note += `; it was signed by the ${signature.keyName} ${signature.serial}`;
    }
    if (detail.durationMs !== undefined) {
      message.durationMs = detail.durationMs;
    }
    const attempt = notification.attempts + 1;
    return { attempt, atMs, outcome, ...detail, ...(fault ? { fault: fault.kind } : {}) };
  }

  async function attemptDelivery(notification: Notification): Promise<void> {
    const isCopy = notification.postponed === 'copy';
    const isPossible = (kind: FaultKind, part?: TamperPart) => canHappen(notification, kind, part);
    const isFirst = notification.attempts === 0;
    const priceFen = readTotalFen(notification.notice);
    const fault = isCopy
      ? undefined
      : (faults.take('notify', isPossible) ?? prices.take('notify', priceFen, isPossible, isFirst));
    if (fault?.kind === 'late' || fault?.kind === 'reorder') {
      const seconds = fault.seconds ?? DEFAULT_DELAY_SECONDS[fault.kind];
      notifications.postpone(notification.id, fault.kind, clock.now() + seconds * 1000);
      return;
    }
    const outgoing = writeNotification(parts, notification.notice, fault);
    const attempts = [send(notification, outgoing, fault)];
    if (fault?.kind === 'duplicate' && fault.seconds !== undefined) {
      notifications.scheduleCopy(notification, clock.now() + fault.seconds * 1000);
    } else if (fault?.kind === 'duplicate') {
      attempts.push(send(notification, outgoing, fault));
    }
    const ends = await Promise.all(attempts);
    if (!stopped) {
      notifications.record(notification, ends);
      notifications.releaseReordered(clock.now());
    }
  }

  function start(notification: Notification): Promise<void> {
    const delivery = attemptDelivery(notification)
      .catch((error: unknown) => {
        console.error('simulator: a notification could not be attempted', error);
      })
      .finally(() => {
        inFlight.delete(notification.id);
        wake();
      });
    inFlight.set(notification.id, delivery);
    return delivery;
  }

  const listStartable = (untilMs: number) =>
    notifications
      .listDue(untilMs, CONCURRENCY + inFlight.size)
      .filter(({ id }) => !inFlight.has(id))
      .slice(0, Math.max(0, CONCURRENCY - inFlight.size));

  async function settleBefore(endMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = startTimer(Math.max(0, endMs - monotonicMs()), resolve);
    await Promise.race([Promise.all(inFlight.values()), promise]);
    cancel();
  }

  function wake(): void {
    if (stopped) {
      return;
    }
    for (const notification of listStartable(clock.now())) {
      void start(notification);
    }
    cancelTimer?.();
    const nextMs = notifications.nextDueMs();
    // While all places are taken, the end of a delivery wakes.
    if (nextMs !== undefined && inFlight.size < CONCURRENCY) {
      const waitMs = Math.min(Math.max(nextMs - clock.now(), 20), LONGEST_TIMER_MS);
      cancelTimer = startTimer(waitMs, wake);
    }
  }

  async function move(advanceMs: number): Promise<void> {
    const targetMs = clock.now() + advanceMs;
    const giveUpMs = monotonicMs() + MOVE_BUDGET_MS;
    while (!stopped && monotonicMs() < giveUpMs) {
      if (inFlight.size > 0) {
        await settleBefore(giveUpMs);
        continue;
      }
      const nextMs = notifications.nextDueMs();
      if (nextMs === undefined || nextMs > targetMs) {
        break;
      }
      const due = listStartable(Math.min(targetMs, Math.max(nextMs, clock.now()) + SAME_MOMENT_MS));
      clock.advanceTo(due.at(-1)?.nextAtMs ?? nextMs);
      for (const notification of due) {
        void start(notification);
      }
    }
    if (!stopped) {
      clock.advanceTo(targetMs);
      wake();
    }
  }

  return {
    wake,
    async moveClock(advanceMs) {
      const moved = moving.then(async () => move(advanceMs));
      moving = moved.catch(() => undefined);
      return moved;
    },
    async stop() {
      stopped = true;
      cancelTimer?.();
      courier.close();
      await settleBefore(monotonicMs() + 1000);
    },
  };
}

function canHappen({ notice, postponed }: Notification, kind: FaultKind, part?: TamperPart) {
  if (kind === 'late' || kind === 'reorder') {
    return postponed === null;
  }
  const isV3Only = kind === 'probe' || part !== undefined;
  return !isV3Only || notice.kind === 'payment-v3' || notice.kind === 'refund-v3';
}
