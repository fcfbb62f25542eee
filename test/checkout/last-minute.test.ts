/**
 * The end of an order's life, in every order of events: buyers who begin to pay, WeChat that hears
 * of it late, reconcile that closes. No order is CLOSED here while it can still be paid there.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { placeAtWechat } from '../../lib/checkout/place.ts';
import { recordEvidence } from '../../lib/evidence/record.ts';
import type { Order } from '../../lib/order/order.ts';
import { checkOrder } from '../../lib/reconcile/order.ts';
import { startPatience } from '../../lib/reconcile/patience.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { readOrder } from '../../lib/table/orders.ts';
import type { CloseResult, PrepayResult, QueryResult } from '../../lib/wechatpay/operations.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { NO_REFUNDS } from '../support/reconcile-run.ts';
import { recordingLog } from '../support/recording-log.ts';
import { sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { seededMachine } from '../support/seeded-machine.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let shared: Table;
let orders = 0;

beforeAll(async () => {
  shared = await newTable();
});

const LIFE_SECONDS = 360;

/** What happens, in seconds before (negative) and after the end of the order's life. */
interface Course {
  readonly apiVersion: 'v2' | 'v3';
  /** When a buyer's request comes to be placed, and how long it takes to WeChat and back, in ms. */
  readonly prepays: readonly { at: number; thereMs: number; backMs: number }[];
  readonly checks: readonly { at: number; travelMs: number }[];
  readonly payments: readonly number[];
  readonly notificationsAreLost: boolean;
}

/** Requests take less than a minute to arrive: the function itself is stopped after 15 s. */
const MAX_TRAVEL_MS = 59_000;

const courses = (maxTravelMs: number): fc.Arbitrary<Course> =>
  fc.record({
    apiVersion: fc.constantFrom('v2', 'v3'),
    prepays: fc.array(
      fc.record({
        at: fc.integer({ min: -125, max: 5 }),
        thereMs: fc.integer({ min: 0, max: maxTravelMs }),
        backMs: fc.integer({ min: 0, max: 3_000 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    checks: fc.array(
      fc.record({
        at: fc.integer({ min: -5, max: 70 }),
        travelMs: fc.integer({ min: 0, max: 1_500 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    payments: fc.array(fc.integer({ min: -120, max: 125 }), { maxLength: 3 }),
    notificationsAreLost: fc.boolean(),
  });

type Place = typeof placeAtWechat;

/** WeChat's book of one order, at its most generous: it takes any, and v3 lengthens its time to a minute. */
function openBook(
  { apiVersion }: Course,
  { outTradeNo, expiresAtEpochSeconds }: Order,
  nowMs: () => number,
) {
  const expiresAtMs = expiresAtEpochSeconds * 1000;
  let state: 'none' | 'NOTPAY' | 'CLOSED' | 'SUCCESS' = 'none';
  let payableUntilMs = 0;
  let paidAtMs = 0;
  return {
    state: () => state,
    payment: () => samplePayment({ outTradeNo, paidAtEpochSeconds: Math.floor(paidAtMs / 1000) }),
    isPayable: () => state === 'NOTPAY' && nowMs() < payableUntilMs,
    place(): PrepayResult {
      if (state === 'SUCCESS' || state === 'CLOSED') {
        return { kind: state === 'SUCCESS' ? 'already-paid' : 'closed' };
      }
      state = 'NOTPAY';
      const atLeastMs = apiVersion === 'v3' ? nowMs() + 60_000 : 0;
      payableUntilMs = Math.max(expiresAtMs, atLeastMs);
      return { kind: 'placed', prepayId: 'wx01' };
    },
    close(): CloseResult {
      if (state === 'SUCCESS') {
        return 'already-paid';
      }
      if (state === 'none') {
        return apiVersion === 'v3' ? 'closed' : 'not-found';
      }
      state = 'CLOSED';
      return 'closed';
    },
    query(): QueryResult {
      switch (state) {
        case 'none':
          return { kind: 'not-found' };
        case 'SUCCESS':
          return { kind: 'paid', refunded: false, payment: this.payment() };
        default:
          return { kind: 'not-paid', tradeState: state };
      }
    },
    pay(): boolean {
      const isPayable = state === 'NOTPAY' && nowMs() < payableUntilMs;
      if (isPayable) {
        state = 'SUCCESS';
        paidAtMs = nowMs();
      }
      return isPayable;
    },
  };
}

const oneTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A table whose answers the clock waits for. */
function openTable(startTimer: Table['startTimer']) {
  let underWay = 0;
  const table = watchTable({ ...shared, startTimer }, async ({ send }) => {
    underWay += 1;
    try {
      return await send();
    } finally {
      underWay -= 1;
    }
  });
  const settle = async () => {
    for (let quietTurns = 0; quietTurns < 3; quietTurns += 1) {
      await oneTurn();
      quietTurns = underWay > 0 ? 0 : quietTurns;
    }
  };
  return { table, settle };
}

/** Lets everything happen at its time; answers how the order ended, here and there. */
async function live(course: Course, place: Place) {
  orders += 1;
  const { settle, table } = openTable((...timer) => machine.startTimer(...timer));
  const machine = seededMachine(`life ${orders}`, { settle });
  const { nowMs } = machine;
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      machine.startTimer(ms, resolve);
    });
  const createdAtEpochSeconds = nowMs() / 1000;
  const order: Order = sampleOrder({
    outTradeNo: `life-${10_000 + orders}`,
    apiVersion: course.apiVersion,
    createdAtEpochSeconds,
    expiresAtEpochSeconds: createdAtEpochSeconds + LIFE_SECONDS,
  });
  await createOrder(table, order);
  const book = openBook(course, order, nowMs);
  const log = recordingLog();
  const remainingMs = () => 55_000;
  const context = {
    table,
    log,
    nowMs,
    remainingMs,
    patience: startPatience(),
    paymentAfterClose: 'keep',
    notifyBaseUrl: '',
  } as const;
  const when = (at: number) => sleep((LIFE_SECONDS + at) * 1000);
  const wrongs: string[] = [];
  let isClosedHere = false;

  const prepay = async ({ at, thereMs, backMs }: Course['prepays'][number]) => {
    await when(at);
    const wechatPay = {
      prepay: async () => {
        await sleep(thereMs);
        const result = book.place();
        if (isClosedHere && book.isPayable()) {
          wrongs.push('placed at WeChat after it was closed here');
        }
        await sleep(backMs);
        return result;
      },
    };
    await place(wechatPay, order, nowMs).catch(() => undefined);
  };
  const check = async (at: number, travelMs: number) => {
    await when(at);
    const travel = async <T>(arrive: () => T) => {
      await sleep(travelMs);
      return arrive();
    };
    const wechatPay = () => ({
      ...NO_REFUNDS,
      closeOrder: () => travel(() => book.close()),
      queryOrder: () => travel(() => book.query()),
    });
    const ending = await checkOrder({ ...context, wechatPay }, order);
    if (ending === 'closed') {
      isClosedHere = true;
      if (book.isPayable()) {
        wrongs.push('closed here while it can be paid at WeChat');
      }
    }
  };
  const pay = async (at: number) => {
    await when(at);
    if (book.pay() && !course.notificationsAreLost) {
      await sleep(2_000);
      const payment = book.payment();
      await recordEvidence(context, order, { kind: 'paid', refunded: false, payment });
    }
  };
  const happening = Promise.all([
    ...course.prepays.map(prepay),
    ...course.checks.map(({ at, travelMs }) => check(at, travelMs)),
    ...course.payments.map(pay),
    // Reconcile goes on every minute, whatever was before.
    ...[130, 430, 730].map((at) => check(at, 100)),
  ]);
  await machine.advance((LIFE_SECONDS + 1_000) * 1000);
  await happening;
  const { tradeState, paidAfterClose = false } = (await readOrder(table, order)) ?? {};
  return { wrongs, here: tradeState, there: book.state(), paidAfterClose };
}

describe('in the last minutes of an order, in whatever order things happen', () => {
  test('nothing is payable at WeChat that is closed here, and what was paid is SUCCESS', {
    timeout: 120_000,
  }, async () => {
    const endings = new Set<string>();
    await fc.assert(
      fc.asyncProperty(courses(MAX_TRAVEL_MS), async (course) => {
        const { wrongs, here, there, paidAfterClose } = await live(course, placeAtWechat);
        endings.add(`${here} ${there}`);

        expect(wrongs).toEqual([]);
        expect(here).toBe(there === 'SUCCESS' ? 'SUCCESS' : 'CLOSED');
        expect(paidAfterClose).toBe(false);
      }),
      { numRuns: 100 },
    );
    expect([...endings].toSorted()).toEqual(['CLOSED CLOSED', 'CLOSED none', 'SUCCESS SUCCESS']);
  });

  test('a payment of an order that WeChat heard of too late is recorded as paid after the close', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(courses(180_000), async (course) => {
        const { here, there } = await live(
          { ...course, notificationsAreLost: false },
          placeAtWechat,
        );

        expect(here === 'SUCCESS').toBe(there === 'SUCCESS');
      }),
      { numRuns: 50 },
    );
  });

  test('without the minute that must be left, an order can be paid that is closed here', {
    timeout: 120_000,
  }, async () => {
    const placeAnyhow: Place = async (wechatPay, order) => {
      await wechatPay.prepay(order, { timeoutMs: 8_000 });
      return '';
    };
    const { wrongs } = await live(
      {
        apiVersion: 'v3',
        prepays: [{ at: 0, thereMs: 8_000, backMs: 0 }],
        checks: [{ at: 2, travelMs: 0 }],
        payments: [],
        notificationsAreLost: false,
      },
      placeAnyhow,
    );

    expect(wrongs).toEqual(['placed at WeChat after it was closed here']);
  });
});
