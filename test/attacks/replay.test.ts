import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, RECEIVED, refusedWith } from '../support/notified-shop.ts';
import { merchantWith } from '../support/secret-versions.ts';
import { notificationXml, OTHER_KEY } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();

describe('a genuine notification that is sent again', () => {
  test('is acknowledged and changes nothing', async () => {
    const shop = await openNotifiedShop(await emptyTable());
    await shop.deliver(notificationXml());
    const paid = await shop.row();

    for (let n = 0; n < 3; n += 1) {
      expect((await shop.deliver(notificationXml())).returned).toEqual(RECEIVED);
    }

    expect(await shop.row()).toEqual(paid);
    expect(shop.log.counts).toEqual({ NotificationRepeated: 3, OrderPaid: 1 });
    expect(shop.log.messages('info')).toEqual([
      'order changed',
      ...Array.from({ length: 3 }, () => 'nothing new about the order'),
    ]);
  });

  test('at the same time from many servers pays once', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => shop.deliver(notificationXml())),
    );

    expect(answers.map(({ returned }) => returned)).toEqual(answers.map(() => RECEIVED));
    expect(shop.log.counts).toEqual({ NotificationRepeated: 19, OrderPaid: 1 });
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'SUCCESS' } });
  });

  test('after a refund does not take the refund back', async () => {
    const shop = await openNotifiedShop(await emptyTable(), {
      order: {
        tradeState: 'REFUND',
        transactionId: '4200000001202603010000000001',
      },
    });
    const refunded = await shop.row();

    expect((await shop.deliver(notificationXml())).returned).toEqual(RECEIVED);
    expect(await shop.row()).toEqual(refunded);
  });

  test('for another order is refused: its number is signed', async () => {
    const shop = await openNotifiedShop(await emptyTable());
    const altered = notificationXml().replace('order-0001', 'order-0002');

    expect((await shop.deliver(altered)).statusCode).toBe(401);
    expect(shop.operations).toEqual([]);
  });

  test('in another shop with another key is refused', async () => {
    const shop = await openNotifiedShop(await emptyTable(), {
      merchant: [merchantWith(OTHER_KEY)],
    });

    expect((await shop.deliver(notificationXml())).returned).toEqual(
      refusedWith('SIGNATURE_INVALID'),
    );
  });
});
