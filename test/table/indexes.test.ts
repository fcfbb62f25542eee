import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../../lib/order/order.ts';
import type { Evidence } from '../../lib/order/transition.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { claimCheck, markChecked } from '../../lib/table/due.ts';
import { createQuotedOrder } from '../../lib/table/idempotency-binding.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { type Row, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

async function queryIndex(name: 'GSI2' | 'GSI3', partition: string): Promise<Row[]> {
  const answer = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      IndexName: name,
      KeyConditionExpression: `${name}PK = :partition`,
      ExpressionAttributeValues: { ':partition': { S: partition } },
      ScanIndexForward: false,
    }),
  );
  return answer.Items ?? [];
}

const numbers = (rows: readonly Row[]) => rows.map(({ outTradeNo }) => outTradeNo?.S);

const paid = (changes: Partial<Evidence & { kind: 'paid' }> = {}): Evidence => ({
  kind: 'paid',
  refunded: false,
  payment: samplePayment(),
  ...changes,
});
const apply = (evidence: Evidence) => applyEvidence(table, orderId(), evidence, CREATED_AT + 60);

describe("a buyer's orders", () => {
  const BUYER = 'BUYER#wx8888888888888888#oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
  const create = (outTradeNo: string, changes: Partial<Order> = {}) =>
    createOrder(table, sampleOrder({ outTradeNo, ...changes }));

  test('come the newest first, those of one second by number, and of nobody else', async () => {
    await create('first-001', { createdAtEpochSeconds: CREATED_AT - 86_400 });
    await create('third-00a');
    await create('third-00b');
    await createQuotedOrder(
      table,
      sampleOrder({ outTradeNo: 'second-01', createdAtEpochSeconds: CREATED_AT - 1 }),
      'key-0001',
    );
    await create('another-1', { openid: 'oSomebodyElse' });
    await create('another-2', { appid: 'wx0000000000000000' });

    expect(numbers(await queryIndex('GSI2', BUYER))).toEqual([
      'third-00b',
      'third-00a',
      'second-01',
      'first-001',
    ]);
  });

  test('come with all that the buyer is shown of an order, and no more', async () => {
    await create('order-0001', { attach: '桌号 12' });
    await apply(paid());

    expect(await queryIndex('GSI2', BUYER)).toEqual([
      {
        PK: { S: 'ORDER#order-0001' },
        SK: { S: 'ORDER' },
        GSI2PK: { S: BUYER },
        GSI2SK: { S: '2026-03-01T02:00:00Z#order-0001' },
        outTradeNo: { S: 'order-0001' },
        tradeState: { S: 'SUCCESS' },
        totalFen: { N: '2800' },
        description: { S: '拿铁' },
        createdAt: { S: '2026-03-01T02:00:00Z' },
        expiresAt: { S: '2026-03-01T02:30:00Z' },
        paidAt: { S: '2026-03-01T02:00:40Z' },
        transactionId: { S: '4200000001202603010000000001' },
      },
    ]);
  });
});

describe('the payments of a day', () => {
  const DAY = 'PAID#2026-03-01#01';

  test('are those orders that were paid, by the one write that says so', async () => {
    await createOrder(table, sampleOrder());
    expect(await queryIndex('GSI3', DAY)).toEqual([]);

    const watched = watchTable(table);
    await applyEvidence(watched, orderId(), paid(), CREATED_AT + 60);
    expect(watched.operations).toEqual(['UpdateItem']);
    expect(numbers(await queryIndex('GSI3', DAY))).toEqual(['order-0001']);
  });

  test('come with all that the bill says of a payment, and no more', async () => {
    const parties = { subMchid: '1900000200', spAppid: 'wx9999999999999999' };
    await createOrder(table, sampleOrder({ ...parties, attach: '桌号 12' }));
    await apply(paid({ payment: samplePayment(parties) }));

    expect(await queryIndex('GSI3', DAY)).toEqual([
      {
        PK: { S: 'ORDER#order-0001' },
        SK: { S: 'ORDER' },
        GSI3PK: { S: DAY },
        GSI3SK: { S: '2026-03-01T02:00:40Z' },
        outTradeNo: { S: 'order-0001' },
        transactionId: { S: '4200000001202603010000000001' },
        appid: { S: 'wx8888888888888888' },
        mchid: { S: '1900000109' },
        subMchid: { S: '1900000200' },
        spAppid: { S: 'wx9999999999999999' },
        totalFen: { N: '2800' },
        tradeState: { S: 'SUCCESS' },
        refundableFen: { N: '2800' },
        paidAt: { S: '2026-03-01T02:00:40Z' },
      },
    ]);
  });

  test.each<[string, Evidence[], string]>([
    ['paid after the close', [{ kind: 'closed' }, paid()], 'SUCCESS'],
    ['first seen as refunded', [paid({ refunded: true })], 'REFUND'],
    ['refunded after the close', [{ kind: 'closed' }, paid({ refunded: true })], 'REFUND'],
    ['paid, then refunded', [paid(), paid({ refunded: true })], 'REFUND'],
    ['paid, then said to be closed', [paid(), { kind: 'closed' }], 'SUCCESS'],
  ])('have an order that was %s', async (_name, evidence, tradeState) => {
    await createOrder(table, sampleOrder());
    for (const each of evidence) {
      await apply(each);
    }

    expect(await queryIndex('GSI3', DAY)).toMatchObject([{ tradeState: { S: tradeState } }]);
  });

  test.each<[string, Evidence[]]>([
    ['closed', [{ kind: 'closed' }]],
    ['contradicted', [paid({ payment: samplePayment({ totalFen: 1 }) })]],
  ])('do not have an order that was %s', async (_name, evidence) => {
    await createOrder(table, sampleOrder());
    for (const each of evidence) {
      await apply(each);
    }

    expect(await queryIndex('GSI3', DAY)).toEqual([]);
  });

  test.each([
    ['2026-03-01T15:59:59Z', '2026-03-01'],
    ['2026-03-01T16:00:00Z', '2026-03-02'],
  ])('are those of the day in Beijing: %s belongs to %s', async (instant, day) => {
    await createOrder(table, sampleOrder());
    const payment = samplePayment({ paidAtEpochSeconds: Date.parse(instant) / 1000 });
    await apply(paid({ payment }));

    expect(numbers(await queryIndex('GSI3', `PAID#${day}#01`))).toEqual(['order-0001']);
  });
});

test('asking WeChat about an order writes to no index but that of open work', async () => {
  await createOrder(table, sampleOrder());
  const buyer = `BUYER#${sampleOrder().appid}#${sampleOrder().openid}`;
  const before = await queryIndex('GSI2', buyer);
  await claimCheck(table, orderId(), CREATED_AT + 60, 3);
  const next = { checks: 1, nextCheckAtEpochSeconds: CREATED_AT + 240 };
  await markChecked(table, sampleOrder(), CREATED_AT + 61, next);

  expect(await queryIndex('GSI2', buyer)).toEqual(before);
});
