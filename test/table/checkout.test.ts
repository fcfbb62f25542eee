import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { createOrder, readCart } from '../../lib/table/checkout.ts';
import { createQuotedOrder } from '../../lib/table/idempotency-binding.ts';
import {
  allRows,
  productRow,
  putRow,
  rowOf,
  useEmbeddedTables,
} from '../support/embedded-tables.ts';
import { sampleOrder, orderId } from '../support/sample-orders.ts';
import { type Operation, watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

describe('creating an order', () => {
  test('50 times at once makes one row, and everybody gets its content', async () => {
    const watched = watchTable(table);
    const orders = Array.from({ length: 50 }, (_, index) =>
      sampleOrder({ description: `request ${index}` }),
    );
    const answers = await Promise.all(orders.map((order) => createOrder(watched, order)));

    const [row, ...others] = await allRows(table);
    expect(others).toEqual([]);
    const winner = orders.find(({ description }) => description === row?.['description']?.S);
    expect(answers).toEqual(Array.from({ length: 50 }, () => winner));
    // The winner is told by identity: it alone gets its own object back.
    expect(answers.filter((answer, index) => answer === orders[index])).toEqual([winner]);
    expect(watched.operations).toEqual(Array.from({ length: 50 }, () => 'PutItem'));
  });

  test('does not touch a paid order of the same number', async () => {
    const paid = sampleOrder({ tradeState: 'SUCCESS', nextCheckAtEpochSeconds: undefined });
    await createOrder(table, paid);
    const before = await rowOf(table, 'ORDER#order-0001');

    expect((await createOrder(table, sampleOrder())).tradeState).toBe('SUCCESS');
    expect(await rowOf(table, 'ORDER#order-0001')).toEqual(before);
  });

  test.each([
    ['the table fails', new Error('no such table')],
    [
      'a refusal comes without the row',
      new ConditionalCheckFailedException({ message: 'refused', $metadata: {} }),
    ],
  ])('fails when %s: no order is made up', async (_name, error) => {
    const broken = watchTable(table, async () => {
      throw error;
    });

    await expect(createOrder(broken, sampleOrder())).rejects.toBe(error);
  });
});

describe('reading a cart', () => {
  test('finds the products that are for sale with one consistent read', async () => {
    await putRow(table, productRow('latte', { priceFen: 2800 }, { name: { S: '拿铁' } }));
    await putRow(table, productRow('deposit', { minFen: 1, maxFen: 500 }));
    const inputs: Operation['input'][] = [];
    const watched = watchTable(table, (operation) => {
      inputs.push(operation.input);
      return operation.send();
    });

    expect(
      await readCart(watched, ['latte', 'deposit', 'tea', 'latte'], orderId('order-0001')),
    ).toEqual({
      catalogue: new Map([
        ['latte', { sku: 'latte', name: '拿铁', priceFen: 2800 }],
        ['deposit', { sku: 'deposit', name: 'deposit', minFen: 1, maxFen: 500 }],
      ]),
      order: undefined,
      boundTo: undefined,
    });
    expect(watched.operations).toEqual(['BatchGetItem']);
    expect(inputs).toMatchObject([
      { RequestItems: { [table.tableName]: { ConsistentRead: true } } },
    ]);
  });

  test('finds nothing in an empty table', async () => {
    expect(await readCart(table, ['latte'], orderId('order-0001'))).toEqual({
      catalogue: new Map(),
      order: undefined,
      boundTo: undefined,
    });
  });

  test('finds the order that its key made earlier, though a product is no product any more', async () => {
    await putRow(table, productRow('tea', { priceFen: 1 }, { priceFen: { S: '¥28.00' } }));
    await createOrder(table, sampleOrder());

    expect(await readCart(table, ['tea'], orderId('order-0001'))).toEqual({
      catalogue: new Map(),
      order: sampleOrder(),
      boundTo: undefined,
    });
  });

  test('finds the order that a quote bound the key to', async () => {
    await createQuotedOrder(table, sampleOrder({ outTradeNo: 'quote-0001' }), 'key-0001');

    expect((await readCart(table, ['latte'], orderId('key-0001'))).boundTo).toBe('quote-0001');
  });

  test('does not offer a product that is switched off', async () => {
    await putRow(table, productRow('old', { priceFen: 1 }, { active: { BOOL: false } }));
    await putRow(table, productRow('new', { priceFen: 1 }, { active: { BOOL: true } }));

    const { catalogue } = await readCart(table, ['old', 'new'], orderId('order-0001'));
    expect([...catalogue.keys()]).toEqual(['new']);
  });

  test.each([
    ['a price as text', { priceFen: { S: '2800' } }, 'no number attribute priceFen'],
    ['only one bound', { minFen: { N: '1' } }, 'no number attribute maxFen'],
    ['no price', {}, 'no number attribute minFen'],
    [
      'a switch that is none',
      { priceFen: { N: '1' }, active: { S: 'false' } },
      'no boolean attribute active',
    ],
    ['no name', { priceFen: { N: '1' }, name: { NULL: true } }, 'no text attribute name'],
    ['a kind as number', { priceFen: { N: '1' }, kind: { N: '1' } }, 'no text attribute kind'],
  ] as const)(
    'with a product that has %s names the product for the shop',
    async (_name, attributes, problem) => {
      const key = { PK: { S: 'PRODUCT#tea' }, SK: { S: 'PRODUCT' } };
      await putRow(table, { ...key, sku: { S: 'tea' }, name: { S: 'Tea' }, ...attributes });

      await expect(readCart(table, ['tea'], orderId('order-0001'))).rejects.toMatchObject({
        code: 'CONFIG_ERROR',
        message: 'the row PRODUCT#tea is not a usable product',
        cause: { message: `the row has ${problem}` },
      });
    },
  );

  test('asks again for keys that DynamoDB left out under load', async () => {
    await putRow(table, productRow('latte', { priceFen: 2800 }));
    let calls = 0;
    const inputs: unknown[] = [];
    const busy = watchTable(table, async ({ input, send }) => {
      inputs.push(input);
      calls += 1;
      if (calls > 1) {
        return send();
      }
      // Nothing was read, as DynamoDB says it: the keys come back, with their options.
      return { UnprocessedKeys: input['RequestItems'] };
    });

    const { catalogue } = await readCart(busy, ['latte'], orderId('order-0001'));
    expect([...catalogue.keys()]).toEqual(['latte']);
    expect(busy.operations).toEqual(['BatchGetItem', 'BatchGetItem']);
    expect(inputs[1]).toEqual(inputs[0]);
  });

  test('keeps what came with the first part when the rest comes later', async () => {
    const left = { PK: { S: 'PRODUCT#deposit' }, SK: { S: 'PRODUCT' } };
    const parts = [
      {
        Responses: { [table.tableName]: [productRow('latte', { priceFen: 2800 })] },
        UnprocessedKeys: { [table.tableName]: { Keys: [left] } },
      },
      { Responses: { [table.tableName]: [productRow('deposit', { minFen: 1, maxFen: 5 })] } },
    ];
    const inputs: unknown[] = [];
    const busy = watchTable(table, async ({ input }) => {
      inputs.push(input);
      return parts[inputs.length - 1];
    });

    const { catalogue } = await readCart(busy, ['latte', 'deposit'], orderId('order-0001'));
    expect([...catalogue.keys()]).toEqual(['latte', 'deposit']);
    expect(inputs[1]).toEqual({
      RequestItems: { [table.tableName]: { Keys: [left], ConsistentRead: true } },
    });
  });

  test('gives up after three parts: an order must not be priced from half a cart', async () => {
    const busy = watchTable(table, async ({ input }) => ({
      UnprocessedKeys: input['RequestItems'],
    }));

    await expect(readCart(busy, ['latte'], orderId('order-0001'))).rejects.toThrow(
      'DynamoDB left keys of a batch unread three times',
    );
    expect(busy.operations).toHaveLength(3);
  });
});
