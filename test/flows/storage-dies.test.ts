/**
 * The table dies at each of its operations in turn, before it is carried out or before its answer
 * arrives, and is dead until the call is over. Whoever called is told to repeat, and the repeat
 * under the same key comes to what the first would have: nothing half made, nothing twice.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { listRefunds } from '../../lib/table/refunds.ts';
import { readOrder } from '../../lib/table/orders.ts';
import type { Table } from '../../lib/table/client.ts';
import type { Credentials } from '../../simulator/book/credentials.ts';
import { createMerchant } from '../../simulator/create-merchant.ts';
import { allRows, productRow, putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { orderId } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';
import { openWorld, type Reply } from '../support/world.ts';

const newTable = useEmbeddedTables();

let credentials: Credentials;
beforeAll(async () => {
  credentials = await createMerchant();
});

type ApiVersion = 'v2' | 'v3';
type Death = 'before' | 'after';

const dead = () => Object.assign(new Error('the table is away'), { name: 'TimeoutError' });

/** A table that can be told to die at its n-th operation from now on, and to live again. */
function mortal(table: Table) {
  const life = { left: Number.POSITIVE_INFINITY, death: 'before' as Death, died: false };
  const watched = watchTable(table, async ({ send }) => {
    life.left -= 1;
    if (life.left > 0) {
      return send();
    }
    if (life.left === 0 && life.death === 'after') {
      await send();
    }
    life.died = true;
    throw dead();
  });
  return {
    watched,
    /** Whether it died while `work` went on, and what came of it. */
    dyingAt: async <T>(operation: number, death: Death, work: () => Promise<T>) => {
      Object.assign(life, { left: operation, death, died: false });
      try {
        return { came: await work(), died: life.died };
      } finally {
        life.left = Number.POSITIVE_INFINITY;
      }
    },
  };
}

async function openShop(apiVersion: ApiVersion) {
  const table = await newTable();
  await putRow(table, productRow('latte', { priceFen: 2800 }));
  const { watched, dyingAt } = mortal(table);
  // The engine knows a transaction by its token, also in another table: each shop has a seed of its own.
  const seed = table.tableName;
  const world = await openWorld({ seed, apiVersion, credentials, table: watched });
  const { api, control, machine } = world;
  const { code } = await control('POST', '/login', { user: 'alice' });
  const { body: login } = await api('POST', '/login', { code });
  const headers = { authorization: `Bearer ${String(login['token'])}` };
  const cart = { items: [{ sku: 'latte', quantity: 1 }] };
  const prepay = () => api('POST', '/prepay', cart, { ...headers, 'idempotency-key': 'tap-1' });
  const rows = async () => (await allRows(table)).filter(({ SK }) => SK?.S === 'ORDER');
  const booked = () => control('GET', '/orders') as Promise<{ orders?: object[] }>;
  return {
    world,
    machine,
    dyingAt,
    prepay,
    rows,
    booked,
    table,
    pay: async ({ body }: Reply) => {
      const requestPayment = body['requestPayment'] as object;
      return control('POST', '/request-payment', { user: 'alice', ...requestPayment });
    },
    look: (outTradeNo: string) => api('GET', `/orders/${outTradeNo}`, undefined, headers),
    close: (outTradeNo: string) => api('POST', `/orders/${outTradeNo}/close`, undefined, headers),
    refund: (outTradeNo: string) =>
      api(
        'POST',
        `/orders/${outTradeNo}/refunds`,
        { refundFen: 800 },
        { 'idempotency-key': 'refund-1' },
      ),
    loseNotifications: () => control('POST', '/faults', { point: 'notify', kind: 'lost' }),
    here: (outTradeNo: string) => readOrder(table, orderId(outTradeNo)),
  };
}
type Shop = Awaited<ReturnType<typeof openShop>>;

/** Goes through all operations of a call, in a new shop each time; answers how many there were. */
async function sweep(
  apiVersion: ApiVersion,
  scene: (shop: Shop, at: number) => Promise<{ readonly died: boolean }>,
): Promise<number> {
  for (let at = 1; ; at += 1) {
    const shop = await openShop(apiVersion);
    const { died } = await scene(shop, at);
    await shop.world.stop();
    if (!died) {
      return at - 1;
    }
  }
}

const codeOf = ({ body }: Reply) => (body['error'] as { code?: string } | undefined)?.code;

function expectRepeatable(reply: Reply) {
  expect([reply.status, codeOf(reply)]).toEqual([503, 'TEMPORARILY_UNAVAILABLE']);
}

const CASES = (['v2', 'v3'] as const).flatMap((apiVersion) =>
  (['before', 'after'] as const).map((death) => [apiVersion, death] as const),
);

describe.each(CASES)('API %s, a table that dies %s an operation', (apiVersion, death) => {
  test('of prepay: one order, here and at WeChat, and the buyer pays it', async () => {
    const operations = await sweep(apiVersion, async (shop, at) => {
      const { came, died } = await shop.dyingAt(at, death, shop.prepay);
      const { orders } = await shop.booked();
      // Nothing is at WeChat that is not wholly here.
      expect(died ? orders : []).toEqual([]);
      if (died) {
        expectRepeatable(came);
      }
      const repeated = await shop.prepay();
      expect(repeated.status).toBe(200);
      expect(await shop.rows()).toHaveLength(1);
      expect((await shop.booked()).orders).toHaveLength(1);
      expect(await shop.pay(repeated)).toEqual({ errMsg: 'requestPayment:ok' });
      return { died };
    });

    expect(operations).toBe(2);
  }, 60_000);

  test('of query: the buyer sees the order as it is once it lives again', async () => {
    const operations = await sweep(apiVersion, async (shop, at) => {
      const prepaid = await shop.prepay();
      const outTradeNo = String(prepaid.body['outTradeNo']);
      await shop.loseNotifications();
      await shop.pay(prepaid);
      const { came, died } = await shop.dyingAt(at, death, () => shop.look(outTradeNo));
      // Once the order is read, it is shown as it is known.
      expect([200, 503]).toContain(came.status);
      const seen = came.body['tradeState'] ?? codeOf(came);
      expect(['NOTPAY', 'SUCCESS', 'TEMPORARILY_UNAVAILABLE']).toContain(seen);
      await shop.machine.advance(4_000);
      expect((await shop.look(outTradeNo)).body['tradeState']).toBe('SUCCESS');
      return { died };
    });

    expect(operations).toBeGreaterThanOrEqual(3);
  }, 60_000);

  test('of close: the order ends closed, also by reconcile alone', async () => {
    const operations = await sweep(apiVersion, async (shop, at) => {
      const outTradeNo = String((await shop.prepay()).body['outTradeNo']);
      await shop.machine.advance(301_000);
      const { came, died } = await shop.dyingAt(at, death, () => shop.close(outTradeNo));
      // Once it is marked as given up, that is said, and reconcile ends it.
      if (died && came.status !== 202) {
        expectRepeatable(came);
      }
      if (at % 2 === 0) {
        await shop.close(outTradeNo);
      } else {
        await shop.machine.advance(1_800_000);
        await shop.world.reconcile();
      }
      expect((await shop.here(outTradeNo))?.tradeState).toBe('CLOSED');
      return { died };
    });

    expect(operations).toBeGreaterThanOrEqual(2);
  }, 60_000);

  test('of notify: WeChat sends its message again, and the order is paid once', async () => {
    const operations = await sweep(apiVersion, async (shop, at) => {
      const prepaid = await shop.prepay();
      const outTradeNo = String(prepaid.body['outTradeNo']);
      const { died } = await shop.dyingAt(at, death, async () => {
        await shop.pay(prepaid);
        await shop.machine.advance(1_000);
      });
      await shop.machine.advance(60_000);
      expect((await shop.here(outTradeNo))?.tradeState).toBe('SUCCESS');
      const [row] = await shop.rows();
      expect(row?.['factCount']).toEqual({ N: '1' });
      return { died };
    });

    expect(operations).toBeGreaterThanOrEqual(1);
  }, 60_000);

  test('of a refund: it is made once, whoever goes on with it', async () => {
    const operations = await sweep(apiVersion, async (shop, at) => {
      const prepaid = await shop.prepay();
      const outTradeNo = String(prepaid.body['outTradeNo']);
      await shop.pay(prepaid);
      await shop.machine.advance(1_000);
      expect((await shop.here(outTradeNo))?.tradeState).toBe('SUCCESS');
      const { came, died } = await shop.dyingAt(at, death, () => shop.refund(outTradeNo));
      if (died && came.status >= 400) {
        expectRepeatable(came);
      }
      const repeated = await shop.refund(outTradeNo);
      expect(repeated.status).toBeLessThan(300);
      for (let minute = 0; minute < 6; minute += 1) {
        await shop.machine.advance(61_000);
        await shop.world.reconcile();
      }
      const refunds = await listRefunds(shop.table, orderId(outTradeNo));
      expect(refunds.map(({ refundFen }) => refundFen)).toEqual([800]);
      expect(refunds[0]?.status).not.toBe('PENDING');
      expect(await shop.here(outTradeNo)).toMatchObject({ refundableFen: 2000, refundCount: 1 });
      return { died };
    });

    expect(operations).toBeGreaterThanOrEqual(2);
  }, 120_000);
});
