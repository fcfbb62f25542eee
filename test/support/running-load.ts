/** Buyers who pay and pay, and a forger beside them, until they are told to stop. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Buyer, Failure, Prepaid } from './shop.ts';

/** A buyer gives up after so many taps under one key. */
const MAX_TAPS = 100;
const TAP_PAUSE_MS = 50;

export interface LoadResult {
  readonly paid: ReadonlySet<string>;
  readonly abandoned: ReadonlySet<string>;
  /** Codes of the errors that buyers saw before a tap worked. */
  readonly errors: ReadonlySet<string>;
}

export interface RunningLoad {
  /** Resolves when so many more orders were paid. */
  more(count: number): Promise<void>;
  /** Does something while nobody pays. */
  pausedFor(action: () => Promise<unknown>): Promise<void>;
  stop(): Promise<LoadResult>;
}

/** One worker for each buyer; every tenth order is left unpaid. */
export function startLoad(buyers: readonly Buyer[]): RunningLoad {
  const [paid, abandoned, errors] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let begun = 0;
  let busy = 0;
  let isStopped = false;
  let gate: Promise<void> | undefined;
  let failure: unknown;

  async function work(buyer: Buyer): Promise<void> {
    while (!isStopped) {
      await gate;
      begun += 1;
      busy += 1;
      try {
        await buy(buyer, begun % 10 === 0);
      } finally {
        busy -= 1;
      }
    }
  }

  /** The same key each time, as the mini-program does. */
  async function buy(buyer: Buyer, isAbandoned: boolean): Promise<void> {
    const key = randomUUID();
    for (let tap = 0; tap < MAX_TAPS; tap += 1) {
      const prepaid = await buyer.prepay<Prepaid & Failure>(
        { items: [{ sku: 'latte', quantity: 1 }] },
        key,
      );
      if (prepaid.status === 200) {
        const { outTradeNo, requestPayment } = prepaid.body;
        if (isAbandoned) {
          return void abandoned.add(outTradeNo);
        }
        const { errMsg } = (await buyer.pay(requestPayment)).body;
        if (errMsg === 'requestPayment:ok') {
          return void paid.add(outTradeNo);
        }
        errors.add('PHONE');
      } else {
        errors.add(prepaid.body.error.code);
        if (prepaid.status < 500) {
          break;
        }
      }
      await delay(TAP_PAUSE_MS);
    }
    throw new Error(`a buyer could not pay: ${[...errors].join(', ')}`);
  }

  const workers = Promise.all(buyers.map(work)).catch((error: unknown) => {
    isStopped = true;
    failure = error;
  });
  const throwFailure = () => {
    if (failure !== undefined) {
      throw failure;
    }
  };
  return {
    async more(count) {
      const goal = paid.size + count;
      while (paid.size < goal && !isStopped) {
        await delay(5);
      }
      throwFailure();
    },
    async pausedFor(action) {
      const open = Promise.withResolvers<void>();
      gate = open.promise;
      while (busy > 0) {
        await delay(5);
      }
      try {
        await action();
      } finally {
        gate = undefined;
        open.resolve();
      }
    },
    async stop() {
      isStopped = true;
      await workers;
      throwFailure();
      return { paid, abandoned, errors };
    },
  };
}

/** Sends forged messages one after the other; answers how often each status came back. */
export function startForger(send: (index: number) => Promise<number>) {
  const statuses = new Map<number, number>();
  let isStopped = false;
  const running = (async () => {
    for (let index = 0; !isStopped; index += 1) {
      const status = await send(index);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await delay(20);
    }
  })();
  // A test that fails before `stop()` has its own error to tell.
  running.catch(() => undefined);
  return {
    async stop(): Promise<ReadonlyMap<number, number>> {
      isStopped = true;
      await running;
      return statuses;
    },
  };
}
