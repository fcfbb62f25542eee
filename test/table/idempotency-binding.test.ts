import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../../lib/order/order.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { bindKey, createQuotedOrder } from '../../lib/table/idempotency-binding.ts';
import { orderToItem } from '../../lib/table/order-row.ts';
import { allRows, putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, orderId, sampleOrder } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const atOnce = <T>(count: number, make: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

describe('creating an order from a quote', () => {
  const quoted = (changes: Partial<Order> = {}) =>
    sampleOrder({ outTradeNo: 'quote-0001', ...changes });

  test('writes the order and binds the key to it in one transaction', async () => {
    const watched = watchTable(table);
    const order = quoted();

    expect(await createQuotedOrder(watched, order, 'key-0001')).toEqual({ kind: 'order', order });
    expect(watched.operations).toEqual(['TransactWriteItems']);
    expect(await rowOf(table, 'IDEMPOTENCY#key-0001', 'IDEMPOTENCY')).toEqual({
      PK: { S: 'IDEMPOTENCY#key-0001' },
      SK: { S: 'IDEMPOTENCY' },
      outTradeNo: { S: 'quote-0001' },
    });
    expect(await rowOf(table, 'ORDER#quote-0001')).toEqual(orderToItem(order));
  });

  test('again under the same key gives the stored order and writes nothing', async () => {
    await createQuotedOrder(table, quoted(), 'key-0001');
    const before = await allRows(table);

    const again = await createQuotedOrder(table, quoted({ description: 'changed' }), 'key-0001');
    expect(again).toEqual({ kind: 'order', order: quoted() });
    expect(await allRows(table)).toEqual(before);
  });

  test('again under another key gives the stored order and binds nothing', async () => {
    await createQuotedOrder(table, quoted(), 'key-0001');

    expect(await createQuotedOrder(table, quoted(), 'key-0002')).toEqual({
      kind: 'order',
      order: quoted(),
    });
    expect(await rowOf(table, 'IDEMPOTENCY#key-0002', 'IDEMPOTENCY')).toBeUndefined();
  });

  test('under a key that is bound to another quote names that order and writes nothing', async () => {
    await createQuotedOrder(table, quoted(), 'key-0001');
    const before = await allRows(table);

    const other = quoted({ outTradeNo: 'quote-0002' });
    expect(await createQuotedOrder(table, other, 'key-0001')).toEqual({
      kind: 'bound',
      outTradeNo: 'quote-0001',
    });
    expect(await allRows(table)).toEqual(before);
  });

  test('under a key that made an order from a cart names that order and writes nothing', async () => {
    await createOrder(table, sampleOrder({ outTradeNo: 'key-0001' }));

    expect(await createQuotedOrder(table, quoted(), 'key-0001')).toEqual({
      kind: 'bound',
      outTradeNo: 'key-0001',
    });
    expect(await allRows(table)).toHaveLength(1);
  });

  test('that exists, under a key bound to another, is a used key first of all', async () => {
    await createQuotedOrder(table, quoted(), 'key-0001');
    await createQuotedOrder(table, quoted({ outTradeNo: 'quote-0002' }), 'key-0002');

    expect(await createQuotedOrder(table, quoted(), 'key-0002')).toEqual({
      kind: 'bound',
      outTradeNo: 'quote-0002',
    });
  });

  test('50 times at once makes one order and one binding', async () => {
    const answers = await atOnce(50, () => createQuotedOrder(table, quoted(), 'key-0001'));

    expect(answers).toEqual(Array.from({ length: 50 }, () => ({ kind: 'order', order: quoted() })));
    expect((await allRows(table)).map(({ PK }) => String(PK?.S)).toSorted()).toEqual([
      'IDEMPOTENCY#key-0001',
      'ORDER#quote-0001',
    ]);
  });

  test('for 50 numbers at once under one key makes one order; 49 learn its number', async () => {
    const answers = await atOnce(50, (index) =>
      createQuotedOrder(table, quoted({ outTradeNo: `quote-1${index}` }), 'key-0001'),
    );

    const made = answers.filter((answer) => answer.kind === 'order');
    expect(made).toHaveLength(1);
    const number = made[0]?.order.outTradeNo;
    expect(answers.filter((answer) => answer.kind === 'bound')).toEqual(
      Array.from({ length: 49 }, () => ({ kind: 'bound', outTradeNo: number })),
    );
    expect(await allRows(table)).toHaveLength(2);
  });
});

const order = sampleOrder({ outTradeNo: 'quote-0001' });
const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    message: 'cancelled',
    $metadata: {},
    CancellationReasons: codes.map((Code) => ({ Code })),
  });

describe('two transactions that meet on the same rows', () => {
  const collision = () => cancelled('None', 'None', 'TransactionConflict');
  /** Lets the first transactions collide; everything else goes to the table. */
  const colliding = (times: number) => {
    let left = times;
    return watchTable(table, async ({ name, send }) => {
      if (name !== 'TransactWriteItems' || left === 0) {
        return send();
      }
      left -= 1;
      throw collision();
    });
  };

  test('end with the order of the other one, found by one read', async () => {
    await createQuotedOrder(table, order, 'key-0001');
    const watched = colliding(1);

    expect(await createQuotedOrder(watched, order, 'key-0001')).toEqual({ kind: 'order', order });
    expect(watched.operations).toEqual(['TransactWriteItems', 'BatchGetItem']);
  });

  test('end with a used key when the other one took the key', async () => {
    await createQuotedOrder(table, sampleOrder({ outTradeNo: 'quote-0002' }), 'key-0001');
    await createQuotedOrder(table, order, 'key-0002');

    expect(await createQuotedOrder(colliding(1), order, 'key-0001')).toEqual({
      kind: 'bound',
      outTradeNo: 'quote-0002',
    });
  });

  test('end with a used key when the key made an order from a cart meanwhile', async () => {
    await createOrder(table, sampleOrder({ outTradeNo: 'key-0001' }));

    expect(await createQuotedOrder(colliding(1), order, 'key-0001')).toEqual({
      kind: 'bound',
      outTradeNo: 'key-0001',
    });
    expect(await rowOf(table, 'ORDER#quote-0001')).toBeUndefined();
  });

  test('are tried again while neither is through', async () => {
    const watched = colliding(1);

    expect(await createQuotedOrder(watched, order, 'key-0001')).toEqual({ kind: 'order', order });
    expect(watched.operations).toEqual([
      'TransactWriteItems',
      'BatchGetItem',
      'TransactWriteItems',
    ]);
    expect(await rowOf(table, 'ORDER#quote-0001')).toEqual(orderToItem(order));
  });

  test('fail after 5 attempts, with nothing written', async () => {
    const watched = colliding(Number.POSITIVE_INFINITY);

    await expect(createQuotedOrder(watched, order, 'key-0001')).rejects.toBeInstanceOf(
      TransactionCanceledException,
    );
    const attempts = watched.operations.filter((name) => name === 'TransactWriteItems');
    expect(attempts).toHaveLength(5);
    expect(await allRows(table)).toEqual([]);
  });

  test.each([
    ['is throttled', cancelled('None', 'None', 'ThrottlingError')],
    ['gives no reason', new TransactionCanceledException({ message: '', $metadata: {} })],
    ['cannot be sent', new Error('no connection')],
  ])('are not what happened when a transaction %s: it fails at once', async (_name, error) => {
    const broken = watchTable(table, async () => {
      throw error;
    });

    await expect(createQuotedOrder(broken, order, 'key-0001')).rejects.toBe(error);
    expect(broken.operations).toEqual(['TransactWriteItems']);
  });
});

describe('the pause between two attempts', () => {
  test('is drawn by chance, up to 50 ms for each attempt so far, with a timer of the surroundings', async () => {
    const pauses: number[] = [];
    const busy = watchTable(
      {
        ...table,
        // 0x4000 of 0x10000: a quarter of the longest pause.
        randomBytes: (size) => Buffer.alloc(size, '4000', 'hex'),
        startTimer: (delayMs, run) => {
          pauses.push(delayMs);
          run();
          return () => {};
        },
      },
      async ({ name, send }) => {
        if (name !== 'TransactWriteItems') {
          return send();
        }
        throw cancelled('TransactionConflict');
      },
    );

    await expect(createQuotedOrder(busy, order, 'key-0001')).rejects.toThrow('cancelled');
    expect(pauses).toEqual([12.5, 25, 37.5, 50]);
  });
});

describe('binding a key to an order that was there already', () => {
  const bind = (on: Table, number = 'quote-0001', key = 'key-0002') =>
    bindKey(on, orderId(number), key, CREATED_AT);

  beforeEach(async () => {
    await createQuotedOrder(table, order, 'key-0001');
  });

  test('writes the binding, once and for all', async () => {
    expect(await bind(table)).toBeUndefined();
    expect(await bind(table)).toBeUndefined();

    expect(await rowOf(table, 'IDEMPOTENCY#key-0002', 'IDEMPOTENCY')).toMatchObject({
      outTradeNo: { S: 'quote-0001' },
    });
    expect(await allRows(table)).toHaveLength(3);
  });

  test('names the other order of a key that is bound, and writes nothing', async () => {
    await createQuotedOrder(table, sampleOrder({ outTradeNo: 'quote-0002' }), 'key-0002');
    const before = await allRows(table);

    expect(await bind(table)).toBe('quote-0002');
    expect(await allRows(table)).toEqual(before);
  });

  test('names the order that the key itself made, and writes nothing', async () => {
    await createOrder(table, sampleOrder({ outTradeNo: 'key-0002' }));

    expect(await bind(table)).toBe('key-0002');
    expect(await rowOf(table, 'IDEMPOTENCY#key-0002', 'IDEMPOTENCY')).toBeUndefined();
  });

  /** Every transaction meets another one, so many times; what it did is in the table by then. */
  const meeting = (times: number, other: () => Promise<unknown> = async () => undefined) => {
    let left = times;
    return watchTable(table, async ({ name, send }) => {
      if (name !== 'TransactWriteItems' || left === 0) {
        return send();
      }
      left -= 1;
      await other();
      throw cancelled('None', 'TransactionConflict');
    });
  };

  test('that an equal request bound meanwhile is done, found by one read', async () => {
    const busy = meeting(1, () => bind(table));

    expect(await bind(busy)).toBeUndefined();
    expect(busy.operations).toEqual(['TransactWriteItems', 'BatchGetItem']);
  });

  test('that another order took meanwhile names that order', async () => {
    const other = sampleOrder({ outTradeNo: 'quote-0002' });
    const busy = meeting(1, () => createQuotedOrder(table, other, 'key-0002'));

    expect(await bind(busy)).toBe('quote-0002');
  });

  test('that made an order from a cart meanwhile names that order', async () => {
    const busy = meeting(1, () => createOrder(table, sampleOrder({ outTradeNo: 'key-0002' })));

    expect(await bind(busy)).toBe('key-0002');
    expect(await rowOf(table, 'IDEMPOTENCY#key-0002', 'IDEMPOTENCY')).toBeUndefined();
  });

  test('that met a request which failed is bound by the next attempt: nobody else did it', async () => {
    const busy = meeting(1);

    expect(await bind(busy)).toBeUndefined();
    expect(busy.operations).toEqual(['TransactWriteItems', 'BatchGetItem', 'TransactWriteItems']);
    expect(await rowOf(table, 'IDEMPOTENCY#key-0002', 'IDEMPOTENCY')).toMatchObject({
      outTradeNo: { S: 'quote-0001' },
    });
  });

  test('fails after 5 attempts, with nothing bound', async () => {
    const busy = meeting(Number.POSITIVE_INFINITY);

    await expect(bind(busy)).rejects.toBeInstanceOf(TransactionCanceledException);
    expect(busy.operations.filter((name) => name === 'TransactWriteItems')).toHaveLength(5);
    expect(await rowOf(table, 'IDEMPOTENCY#key-0002', 'IDEMPOTENCY')).toBeUndefined();
  });

  test('whose row names no order says which row that is', async () => {
    await putRow(table, { PK: { S: 'IDEMPOTENCY#key-0002' }, SK: { S: 'IDEMPOTENCY' } });

    await expect(bind(table)).rejects.toMatchObject({
      code: 'ORDER_UNREADABLE',
      parameters: { row: 'IDEMPOTENCY#key-0002 IDEMPOTENCY', attribute: 'outTradeNo' },
    });
  });

  test.each([
    ['is throttled', cancelled('None', 'ThrottlingError')],
    ['gives no reason', new TransactionCanceledException({ message: '', $metadata: {} })],
    ['cannot be sent', new Error('no connection')],
  ])('fails when the transaction %s', async (_name, error) => {
    const broken = watchTable(table, async () => {
      throw error;
    });

    await expect(bind(broken)).rejects.toBe(error);
  });
});
