/** The archive of what WeChat sent, on the embedded engine. */
import { describe, expect, test } from 'vitest';
import {
  archivedNotification,
  listNotifications,
  putNotification,
} from '../../lib/table/notifications.ts';
import { allRows, putRow, type Row, useEmbeddedTables } from '../support/embedded-tables.ts';
import {
  attributes,
  notificationOf,
  openOrderRow,
  paidOrderRow,
  unknownPaymentRow,
} from '../support/fact-rows.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
const notified = paidOrderRow({ notification: notificationOf('notice-1') });

describe('the row of the archive', () => {
  test('has what the message was, what was decided and said, and when it goes', () => {
    expect(archivedNotification(notified, openOrderRow(), 90)).toEqual({
      ...attributes({
        PK: 'ORDER#order-0001',
        SK: 'NOTIFICATION#2026-03-01T02:00:05.123Z#notice-1',
        id: 'notice-1',
        receivedAt: '2026-03-01T02:00:05.123Z',
        apiVersion: 'v3',
        kind: 'payment',
        message: '{"out_trade_no":"order-0001"}',
        decision: 'apply',
        from: 'NOTPAY',
        to: 'SUCCESS',
        answer: 200,
        // 2026-05-30T02:00:05Z, in whole seconds: DynamoDB deletes nothing by milliseconds.
        deleteAt: 1_780_106_405,
      }),
    });
  });

  test.each([1, 3_650])('goes after %d days where these are set', (days) => {
    const row = archivedNotification(notified, undefined, days);

    expect(row?.['deleteAt']).toEqual({ N: String(1_772_330_405 + days * 86_400) });
  });

  test('lies beside a payment of no order, too', () => {
    const row = unknownPaymentRow({ notification: notificationOf('notice-1') });

    expect(archivedNotification(row, undefined, 90)).toMatchObject({
      PK: row['PK'],
      SK: { S: 'NOTIFICATION#2026-03-01T02:00:05.123Z#notice-1' },
    });
  });

  test('is not made of a row that carries none, or the one that it carried before', () => {
    expect(archivedNotification(paidOrderRow(), openOrderRow(), 90)).toBeUndefined();
    expect(archivedNotification(notified, notified, 90)).toBeUndefined();
  });

  test('is made when another took its place', () => {
    const before = paidOrderRow({ notification: notificationOf('notice-0') });

    expect(archivedNotification(notified, before, 90)).toMatchObject({ id: { S: 'notice-1' } });
  });

  test('leaves out what it does not know', () => {
    const { M: known = {} } = notificationOf('notice-1');
    const row = paidOrderRow({ notification: { M: { ...known, signature: { S: 's3cret' } } } });

    expect(JSON.stringify(archivedNotification(row, undefined, 90))).not.toContain('s3cret');
  });

  test.each([
    ['without a key', { key: undefined }, 'key'],
    ['without a time', { receivedAt: undefined }, 'receivedAt'],
    ['with a time that is none', { receivedAt: { S: 'noon' } }, 'notification'],
  ])('cannot be made of a notification %s', (_, changes, attribute) => {
    const M = { ...notificationOf('notice-1').M, ...changes } as never;

    expect(() =>
      archivedNotification(paidOrderRow({ notification: { M } }), undefined, 90),
    ).toThrow(
      expect.objectContaining({
        code: 'ORDER_UNREADABLE',
        parameters: { row: 'ORDER#order-0001 ORDER', attribute },
      }),
    );
  });
});

describe('putting it', () => {
  test('twice leaves one row', async () => {
    const table = watchTable(await newTable());
    const row = archivedNotification(notified, undefined, 90) ?? {};
    await putNotification(table, row);
    await putNotification(table, row);

    expect(await allRows(table)).toEqual([row]);
    expect(table.operations).toEqual(['PutItem', 'PutItem', 'Scan']);
  });

  test('never takes the place of a row that is there', async () => {
    const table = await newTable();
    await putRow(table, openOrderRow());
    await putNotification(table, { ...attributes({ PK: 'ORDER#order-0001', SK: 'ORDER' }) });

    expect(await allRows(table)).toEqual([openOrderRow()]);
  });

  test('says what went wrong', async () => {
    const table = { ...(await newTable()), tableName: 'nowhere' };

    await expect(putNotification(table, attributes({ PK: 'a', SK: 'b' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('what the archive has of an order', () => {
  const archived = (id: string, changes: Row = {}): Row => ({
    ...archivedNotification(paidOrderRow({ notification: notificationOf(id) }), undefined, 90),
    ...changes,
  });
  const kept = {
    id: 'notice-1',
    receivedAt: '2026-03-01T02:00:05.123Z',
    apiVersion: 'v3',
    kind: 'payment',
    content: '{"out_trade_no":"order-0001"}',
    decision: 'apply',
    from: 'NOTPAY',
    to: 'SUCCESS',
    answer: 200,
  };

  test('is every message that changed it, the oldest first, and no other row', async () => {
    const table = await newTable();
    await putRow(table, paidOrderRow());
    await putRow(table, archived('notice-2'));
    await putRow(table, archived('notice-1'));
    await putRow(table, archived('notice-3', { PK: { S: 'ORDER#order-0002' } }));

    expect(await listNotifications(table, 'ORDER#order-0001')).toEqual([
      kept,
      { ...kept, id: 'notice-2' },
    ]);
    expect(await listNotifications(table, 'ORDER#order-0003')).toEqual([]);
  });

  test('says that a message was too large to be kept, and that nothing changed', async () => {
    const table = await newTable();
    const { message: _, from: __, to: ___, ...row } = archived('notice-1');
    await putRow(table, { ...row, decision: { S: 'mismatch' }, answer: { N: '400' } });

    expect(await listNotifications(table, 'ORDER#order-0001')).toEqual([
      {
        ...kept,
        content: undefined,
        decision: 'mismatch',
        from: undefined,
        to: undefined,
        answer: 400,
      },
    ]);
  });

  test('is refused where it is not of its form', async () => {
    const table = await newTable();
    await putRow(table, archived('notice-1', { apiVersion: { S: 'v4' } }));

    await expect(listNotifications(table, 'ORDER#order-0001')).rejects.toMatchObject({
      code: 'ORDER_UNREADABLE',
      parameters: { attribute: 'apiVersion' },
    });
  });
});
