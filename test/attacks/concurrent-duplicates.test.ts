import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, RECEIVED } from '../support/notified-shop.ts';
import { notificationXml } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();

describe('the same payment, reported by several servers of WeChat at once', () => {
  test('to several copies of the function pays once, and every server hears "received"', async () => {
    const table = await emptyTable();
    const first = await openNotifiedShop(table);
    const copies = await Promise.all(
      Array.from({ length: 8 }, () => openNotifiedShop(table, { order: 'none' })),
    );

    const answers = await Promise.all(
      copies.flatMap((copy) => [copy, copy, copy]).map((copy) => copy.deliver(notificationXml())),
    );

    expect(answers.map(({ returned }) => returned)).toEqual(answers.map(() => RECEIVED));
    const paid = copies.map(({ log }) => log.counts.OrderPaid ?? 0);
    expect(paid.reduce((sum, count) => sum + count)).toBe(1);
    expect(await first.row()).toMatchObject({ tradeState: { S: 'SUCCESS' } });
  });

  test('beside a contradicting one pays once; the contradiction raises the alarm', async () => {
    const table = await emptyTable();
    const shop = await openNotifiedShop(table);

    const answers = await Promise.all([
      shop.deliver(notificationXml()),
      shop.deliver(notificationXml({ total_fee: '1' })),
      shop.deliver(notificationXml()),
      shop.deliver(notificationXml({ total_fee: '1' })),
    ]);

    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 409, 200, 409]);
    expect(shop.log.counts).toEqual({
      NotificationRefused: 2,
      NotificationRepeated: 1,
      OrderPaid: 1,
    });
    // The same contradiction twice is one fact.
    expect(await shop.alarms()).toEqual({ TransactionMismatch: 1 });
    expect(await shop.row()).toMatchObject({
      tradeState: { S: 'SUCCESS' },
      totalFen: { N: '2800' },
    });
  });
});
