/** How many orders a buyer may leave unpaid, where the deployment sets a limit. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { putRow, productRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { openPrepayShop, quote } from '../support/prepay-shop.ts';
import { orderId } from '../support/sample-orders.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
  await putRow(table, productRow('latte', { priceFen: 2800 }));
});

const latte = { items: [{ sku: 'latte', quantity: 1 }] };
const open = (openOrdersPerBuyer = 2) => openPrepayShop(table, { openOrdersPerBuyer });

/** Two orders that nobody pays. */
async function withTwo() {
  const shop = open();
  const first = await shop.call(latte, { key: 'tap-1' });
  await shop.call(latte, { key: 'tap-2' });
  shop.happened.length = 0;
  return { shop, first };
}

describe('a buyer with as many unpaid orders as there may be', () => {
  test('gets no further one, and is told how many there are; WeChat is not asked', async () => {
    const { shop } = await withTwo();
    const { status, body } = await shop.call(latte, { key: 'tap-3' });

    expect([status, body.error.code]).toEqual([429, 'TOO_MANY_OPEN_ORDERS']);
    expect(body.error.message).toBe(
      'There are 2 unpaid orders already; pay or close one of them, or wait until it expires.',
    );
    expect(shop.happened.toSorted()).toEqual(['BatchGetItem', 'Query']);
  });

  test('goes on with those that there are', async () => {
    const { shop, first } = await withTwo();
    const repeated = await shop.call(latte, { key: 'tap-1' });
    const again = await shop.call({ outTradeNo: first.body.outTradeNo }, { key: undefined });

    expect([repeated.status, again.status]).toEqual([200, 200]);
  });

  test.each([
    [
      'one of them is closed',
      async (outTradeNo: string) => {
        await applyEvidence(table, orderId(outTradeNo), { kind: 'closed' }, 0);
      },
    ],
  ])('gets one once %s', async (_, change) => {
    const { shop, first } = await withTwo();
    await change(first.body.outTradeNo);

    expect((await shop.call(latte, { key: 'tap-3' })).status).toBe(200);
  });

  test('gets one once theirs have expired', async () => {
    const { shop } = await withTwo();
    shop.clock.nowMs += 1_800_000;

    expect((await shop.call(latte, { key: 'tap-3' })).status).toBe(200);
  });

  test('is in nobody else’s way', async () => {
    const { shop } = await withTwo();
    const other = await shop.call(latte, { key: 'tap-3', openid: 'oAnotherBuyer00000000000000' });

    expect(other.status).toBe(200);
  });
});

describe('a quote for a buyer with as many unpaid orders as there may be', () => {
  test('makes no further order, whatever the quote says', async () => {
    const { shop } = await withTwo();
    const { status, body } = await shop.call({ quote: await quote({}) }, { key: 'tap-3' });

    expect([status, body.error.code]).toEqual([429, 'TOO_MANY_OPEN_ORDERS']);
    expect(shop.happened.toSorted()).toEqual(['GetItem', 'Query']);
  });

  test('whose order is there goes on with it, under the same key and another', async () => {
    const shop = open();
    const signed = await quote({});
    const first = await shop.call({ quote: signed }, { key: 'tap-1' });
    await shop.call(latte, { key: 'tap-2' });
    const same = await shop.call({ quote: signed }, { key: 'tap-1' });
    const other = await shop.call({ quote: signed }, { key: 'tap-3' });

    expect([first, same, other].map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(other.body.outTradeNo).toBe(first.body.outTradeNo);
    expect((await shop.call(latte, { key: 'tap-4' })).status).toBe(429);
  });
});

test('without a limit nothing is counted', async () => {
  const shop = open(0);
  for (const key of ['a', 'b', 'c']) {
    expect((await shop.call(latte, { key })).status).toBe(200);
  }
  expect(shop.happened).not.toContain('Query');
});
