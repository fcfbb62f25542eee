/** A buyer who gives an order up, while everything else happens to it too: by the real handlers. */
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { readOrder } from '../../lib/table/orders.ts';
import type { Credentials } from '../../simulator/book/credentials.ts';
import { createMerchant } from '../../simulator/create-merchant.ts';
import { allRows, productRow, putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { orderId } from '../support/sample-orders.ts';
import { openWorld, type Reply } from '../support/world.ts';

const openTable = useEmbeddedTables();

let credentials: Credentials;
beforeAll(async () => {
  credentials = await createMerchant();
});

type ApiVersion = 'v2' | 'v3';
const CART = { items: [{ sku: 'latte', quantity: 1 }] };

/**
 * One order of one buyer, who has just got what it takes to pay, unless the order's way to WeChat
 * takes time.
 */
async function openShop(apiVersion: ApiVersion, seed = 'closing', prepayMs = 0) {
  const table = await openTable();
  await putRow(table, productRow('latte', { priceFen: 2800 }));
  const travel = { prepayMs };
  const world = await openWorld({
    seed,
    apiVersion,
    credentials,
    table,
    travelMs: (path) => {
      const { prepayMs } = travel;
      const isPrepay = /unifiedorder|jsapi$/.test(path);
      travel.prepayMs = isPrepay ? 0 : prepayMs;
      return isPrepay ? prepayMs : 0;
    },
  });
  const { api, control, machine } = world;
  const { code } = await control('POST', '/login', { user: 'alice' });
  const { body: login } = await api('POST', '/login', { code });
  const headers = { authorization: `Bearer ${String(login['token'])}` };
  const prepay = () => api('POST', '/prepay', CART, { ...headers, 'idempotency-key': 'tap-1' });
  const phone: { requestPayment?: object } = {};
  const first = prepay().then(({ body }) => {
    phone.requestPayment = body['requestPayment'] as object;
  });
  if (prepayMs === 0) {
    await first;
  }
  // Keys are checked outside of this world's time.
  while (travel.prepayMs > 0) {
    await machine.advance(1);
  }
  const rows = (await allRows(table)).map((row) => row['outTradeNo']?.S);
  const outTradeNo = rows.find((number) => number !== undefined) ?? '';
  return {
    world,
    table,
    machine,
    travel,
    outTradeNo,
    prepay,
    close: () => api('POST', `/orders/${outTradeNo}/close`, undefined, headers),
    look: () => api('GET', `/orders/${outTradeNo}`, undefined, headers),
    pay: () => control('POST', '/request-payment', { user: 'alice', ...phone.requestPayment }),
    fault: (fault: object) => control('POST', '/faults', fault),
    clearFaults: () => control('DELETE', '/faults'),
    here: () => readOrder(table, orderId(outTradeNo)),
    there: () => control('GET', `/orders/${outTradeNo}`),
  };
}

const stateOf = ({ status, body }: Reply) => [status, body['tradeState'], body['closing']];

describe('a buyer who gives up', () => {
  test('has a v3 order closed at once: nobody can pay it any more', async () => {
    const shop = await openShop('v3');

    expect(stateOf(await shop.close())).toEqual([200, 'CLOSED', undefined]);
    expect((await shop.there())['tradeState']).toBe('CLOSED');
    expect(await shop.pay()).not.toEqual({ errMsg: 'requestPayment:ok' });
    expect(stateOf(await shop.close())).toEqual([200, 'CLOSED', undefined]);
    await shop.world.stop();
  });

  test('has a v2 order closed by reconcile when its 5 minutes are over, and cannot pay it anew', async () => {
    const shop = await openShop('v2');

    expect(stateOf(await shop.close())).toEqual([202, 'NOTPAY', true]);
    expect(stateOf(await shop.look())).toEqual([200, 'NOTPAY', true]);
    expect((await shop.prepay()).body['error']).toMatchObject({ code: 'ORDER_CLOSED' });
    await shop.machine.advance(299_000);
    await shop.world.reconcile();
    expect(stateOf(await shop.look())).toEqual([200, 'NOTPAY', true]);
    await shop.machine.advance(1_000);
    await shop.world.reconcile();

    expect(stateOf(await shop.look())).toEqual([200, 'CLOSED', undefined]);
    expect((await shop.prepay()).body['error']).toMatchObject({ code: 'ORDER_CLOSED' });
    await shop.world.stop();
  });

  test('and pays all the same while it is closing has paid: no flag, no second order', async () => {
    const shop = await openShop('v2');
    await shop.close();

    expect(await shop.pay()).toEqual({ errMsg: 'requestPayment:ok' });
    await shop.machine.advance(1_000);
    expect(stateOf(await shop.look())).toEqual([200, 'SUCCESS', undefined]);
    expect((await shop.here())?.paidAfterClose).toBeUndefined();
    expect((await shop.close()).body['error']).toMatchObject({ code: 'ORDER_ALREADY_PAID' });
    await shop.world.stop();
  });

  test('while the notification is lost has paid: 200 SUCCESS', async () => {
    for (const apiVersion of ['v2', 'v3'] as const) {
      const shop = await openShop(apiVersion);
      await shop.fault({ point: 'notify', kind: 'lost' });
      await shop.pay();

      expect(stateOf(await shop.close())).toEqual([200, 'SUCCESS', undefined]);
      await shop.world.stop();
    }
  });

  test('while the buyer is paying in v3 has to wait, and has it closed after', async () => {
    const shop = await openShop('v3');
    await shop.fault({ point: 'closeorder', kind: 'error', code: 'USER_PAYING', times: 1 });

    expect(stateOf(await shop.close())).toEqual([202, 'NOTPAY', true]);
    await shop.machine.advance(60_000);
    await shop.world.reconcile();
    expect(stateOf(await shop.look())).toEqual([200, 'CLOSED', undefined]);
    await shop.world.stop();
  });
});

/** What can happen to an order. Each begins at once; only `wait` lets the others end first. */
type Step =
  | 'close'
  | 'pay'
  | 'prepay'
  | 'late prepay'
  | 'look'
  | 'reconcile'
  | 'second'
  | 'half minute'
  | 'minutes';

const step = fc.constantFrom<Step>(
  'close',
  'pay',
  'prepay',
  'late prepay',
  'look',
  'reconcile',
  'second',
  'half minute',
  'minutes',
);

const fault = fc.constantFrom(
  undefined,
  { point: 'notify', kind: 'lost' },
  { point: 'notify', kind: 'duplicate', seconds: 20 },
  { point: 'closeorder', kind: 'timeout-after', rate: 0.5 },
  { point: 'closeorder', kind: 'error', code: 'SYSTEMERROR', rate: 0.5 },
  { point: 'orderquery', kind: 'timeout-before', rate: 0.5 },
  { point: 'unifiedorder', kind: 'timeout-before', rate: 0.5 },
);

type Shop = Awaited<ReturnType<typeof openShop>>;

/** Nothing is closed here that can be paid there, and whoever was told "closed" is not charged. */
async function assertSafe(shop: Shop, told: Reply[]): Promise<void> {
  const [here, there] = [await shop.here(), await shop.there()];
  const toldClosed = told.some(({ body }) => body['tradeState'] === 'CLOSED');
  if (here?.tradeState === 'CLOSED' || toldClosed) {
    expect(['CLOSED', undefined]).toContain(there['tradeState']);
    expect(here?.tradeState).toBe('CLOSED');
  }
  expect(here?.paidAfterClose).toBeUndefined();
}

/** Pauses after which everything has come to its end. */
const QUIET_MINUTES = [1, 5, 5, 5];

async function run(shop: Shop, steps: readonly Step[]): Promise<void> {
  const told: Reply[] = [];
  const underWay: Promise<unknown>[] = [];
  let isGivenUp = false;
  const acts: Record<Step, () => Promise<unknown>> = {
    close: async () => {
      const reply = await shop.close();
      told.push(reply);
      isGivenUp ||= reply.status < 300;
    },
    pay: shop.pay,
    prepay: async () => {
      const wasGivenUp = isGivenUp;
      const { status } = await shop.prepay();
      expect(wasGivenUp && status === 200).toBe(false);
    },
    'late prepay': async () => {
      shop.travel.prepayMs = 40_000;
      await shop.prepay();
    },
    look: shop.look,
    reconcile: () => shop.world.reconcile(),
    second: () => shop.machine.advance(1_000),
    'half minute': () => shop.machine.advance(30_000),
    minutes: () => shop.machine.advance(200_000),
  };
  for (const name of steps) {
    const act = acts[name]();
    if (/second|minute/.test(name)) {
      await act;
      await assertSafe(shop, told);
    } else {
      underWay.push(act);
    }
  }
  await shop.machine.advance(60_000);
  await Promise.all(underWay);
  await assertSafe(shop, told);
  await shop.clearFaults();
  for (const minutes of QUIET_MINUTES) {
    await shop.machine.advance(minutes * 60_000);
    await shop.world.reconcile();
  }
}

describe.each(['v2', 'v3'] as const)('whatever happens to an order of API %s', (apiVersion) => {
  test('a close loses no money, closes nothing that can be paid, and comes to its end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 2, maxLength: 14 }),
        fc.constantFrom(0, 40_000),
        fault,
        async (steps, prepayMs, wrong) => {
          const seed = JSON.stringify([steps, prepayMs, wrong]);
          const shop = await openShop(apiVersion, seed, prepayMs);
          if (wrong) {
            await shop.fault(wrong);
          }
          await run(shop, [...steps, 'close']);

          const { tradeState: there } = await shop.there();
          const here = (await shop.here())?.tradeState;
          // What never reached WeChat is closed here alone.
          expect(here).toBe(there ?? 'CLOSED');
          expect(['SUCCESS', 'CLOSED']).toContain(here);
          expect(await allRows(shop.table, 'index')).toEqual([]);
          await shop.world.stop();
        },
      ),
      { numRuns: 15 },
    );
  }, 90_000);
});
