import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listDue } from '../../lib/table/due-work.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { orderId } from '../support/sample-orders.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { inParallel, logInCrowd } from '../support/crowd.ts';
import { type Buyer, call, type Prepaid } from '../support/shop.ts';

const PAYMENTS = 1_000;
const CONCURRENCY = 32;

let stack: Stack;
let dynamoDb: DynamoDBClient;

beforeAll(async () => {
  stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    log: 'silent',
    seed: 'load',
  });
  dynamoDb = new DynamoDBClient({ endpoint: stack.dynamoDbEndpoint });
});
afterAll(async () => {
  dynamoDb.destroy();
  await stack.stop();
});

interface BookedOrder {
  readonly outTradeNo: string;
  readonly tradeState: string;
  readonly transactionId: string | null;
}

async function countOpenOrders(): Promise<number> {
  const table = { client: dynamoDb, tableName: stack.tableName };
  const forEver = Date.parse('2099-01-01T00:00:00Z') / 1000;
  let open = 0;
  for await (const _ of listDue(table, forEver)) {
    open += 1;
  }
  return open;
}

/** A table that is too slow for the moment is told to the buyer, who repeats under the same key. */
async function order(buyer: Buyer): Promise<Prepaid> {
  const key = randomUUID();
  for (;;) {
    const { status, body } = await buyer.prepay({ items: [{ sku: 'latte', quantity: 1 }] }, key);
    if (status === 200) {
      return body;
    }
    expect(status).toBe(503);
    await delay(100);
  }
}

/** Runs until one was not short of time. */
async function reconcileAll(): Promise<void> {
  for (;;) {
    const summary = (await stack.invoke('reconcile')) as Record<string, unknown>;
    expect(summary).toMatchObject({ mismatched: 0 });
    if (summary['timeRanOut'] === false && summary['failed'] === 0) {
      return;
    }
    // What failed for a slow table is due again soon.
    await stack.advanceClock(61);
  }
}

describe(`${PAYMENTS} payments at concurrency ${CONCURRENCY}, a third of the notifications lost`, () => {
  test('leave every paid order SUCCESS, every other CLOSED and none open', async () => {
    const buyers = await logInCrowd(stack, CONCURRENCY);
    for (const fault of [
      { point: 'notify', kind: 'lost', rate: 1 / 3 },
      { point: 'notify', kind: 'duplicate', rate: 0.1 },
    ]) {
      const { status } = await call(`${stack.simulatorUrl}/_simulator/faults`, 'POST', fault);
      expect(status).toBe(200);
    }
    const paid = new Set<string>();
    const abandoned = new Set<string>();

    await inParallel(PAYMENTS, CONCURRENCY, async (index) => {
      const buyer = buyers[index % buyers.length];
      if (!buyer) {
        throw new Error('no buyer');
      }
      const body = await order(buyer);
      if (index % 10 === 0) {
        abandoned.add(body.outTradeNo);
        return;
      }
      expect((await buyer.pay(body.requestPayment)).body.errMsg).toBe('requestPayment:ok');
      paid.add(body.outTradeNo);
    });

    for (const seconds of [61, 1800]) {
      await stack.advanceClock(seconds);
      await reconcileAll();
    }

    const table = { client: dynamoDb, tableName: stack.tableName };
    const { body } = await call<{ orders: BookedOrder[] }>(
      `${stack.simulatorUrl}/_simulator/orders`,
    );
    const book = new Map(body.orders.map((order) => [order.outTradeNo, order]));
    expect([paid.size, abandoned.size, book.size]).toEqual([900, 100, PAYMENTS]);
    await inParallel(PAYMENTS, CONCURRENCY, async (index) => {
      const outTradeNo = [...paid, ...abandoned][index] ?? '';
      const order = await readOrder(table, orderId(outTradeNo));
      const state = paid.has(outTradeNo) ? 'SUCCESS' : 'CLOSED';
      expect(book.get(outTradeNo)).toMatchObject({ tradeState: state });
      expect(order).toMatchObject({ tradeState: state, nextCheckAtEpochSeconds: undefined });
      expect(order?.transactionId ?? null).toBe(book.get(outTradeNo)?.transactionId);
      expect(order?.paidAfterClose).toBeUndefined();
    });
    expect(await countOpenOrders()).toBe(0);
  }, 180_000);
});
