import { TransactionConflictException } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { retryConflicts } from '../../lib/table/conflict.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const conflict = () => new TransactionConflictException({ message: 'busy', $metadata: {} });

/** A timer that does not wait. */
const atOnce = (_delayMs: number, run: () => void) => {
  run();
  return () => {};
};

/** A table whose writes of one kind meet a transaction so many times. */
const meeting = (operation: string, times: number) => {
  let left = times;
  return watchTable(table, async ({ name, send }) => {
    if (name !== operation || left === 0) {
      return send();
    }
    left -= 1;
    throw conflict();
  });
};

describe('a write that meets a transaction on the same row', () => {
  test('of a payment is made again, and recorded once', async () => {
    await createOrder(table, sampleOrder());
    const busy = meeting('UpdateItem', 4);
    const evidence = { kind: 'paid', refunded: false, payment: samplePayment() } as const;

    expect(await applyEvidence(busy, orderId(), evidence, CREATED_AT)).toMatchObject({
      kind: 'apply',
      to: 'SUCCESS',
    });
    expect(busy.operations).toHaveLength(5);
    expect((await readOrder(table, orderId()))?.tradeState).toBe('SUCCESS');
  });

  test('of a new order is made again', async () => {
    const busy = meeting('PutItem', 1);

    expect(await createOrder(busy, sampleOrder())).toEqual(sampleOrder());
    expect(await readOrder(table, orderId())).toEqual(sampleOrder());
  });

  test('fails after 14 attempts, pauses of 10 s in all, with nothing written', async () => {
    const busy = { ...meeting('PutItem', 14), startTimer: atOnce };

    await expect(createOrder(busy, sampleOrder())).rejects.toBeInstanceOf(
      TransactionConflictException,
    );
    expect(busy.operations).toHaveLength(14);
    expect(await readOrder(table, orderId())).toBeUndefined();
  });

  test('waits longer each time, by chance', async () => {
    const pauses: number[] = [];
    const patient = {
      ...table,
      randomBytes: (size: number) => Buffer.alloc(size, '8000', 'hex'),
      startTimer: (delayMs: number, run: () => void) => {
        pauses.push(delayMs);
        run();
        return () => {};
      },
    };

    await expect(retryConflicts(patient, () => Promise.reject(conflict()))).rejects.toThrow('busy');
    expect(pauses).toEqual([25, 50, 100, 200, 400, ...Array.from({ length: 8 }, () => 500)]);
  });

  test('is the only failure that is tried again', async () => {
    let writes = 0;
    const write = () => {
      writes += 1;
      return Promise.reject(new Error('throttled'));
    };

    await expect(retryConflicts(table, write)).rejects.toThrow('throttled');
    expect(writes).toBe(1);
  });
});
