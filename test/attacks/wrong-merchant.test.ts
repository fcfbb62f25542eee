import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, refusedWith } from '../support/notified-shop.ts';
import { merchantWith } from '../support/secret-versions.ts';
import { API_V2_KEY, notificationXml, OTHER_KEY } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();
const UNPAID = { tradeState: { S: 'NOTPAY' } };

describe('a payment to somebody else', () => {
  test('signed with their own key is refused', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode } = await shop.deliver(notificationXml({ mch_id: '1900000110' }, OTHER_KEY));

    expect(statusCode).toBe(401);
    expect(shop.operations).toEqual([]);
  });

  test('that calls itself a payment to us, signed with their own key, is refused', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    expect((await shop.deliver(notificationXml({}, OTHER_KEY))).statusCode).toBe(401);
    expect(await shop.row()).toMatchObject(UNPAID);
  });

  test('who has the same key is refused by the merchant number, before the table', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode, returned } = await shop.deliver(notificationXml({ mch_id: '1900000110' }));

    expect(statusCode).toBe(401);
    expect(returned).toEqual(refusedWith('SIGNATURE_INVALID'));
    expect(shop.operations).toEqual([]);
    expect(shop.log.counts).toEqual({ NotificationRefused: 1, SignatureRejected: 1 });
  });

  test('cannot use the key of the merchant that this shop had before, in the name of the new one', async () => {
    const shop = await openNotifiedShop(await emptyTable(), {
      merchant: [merchantWith(OTHER_KEY), merchantWith(API_V2_KEY, '1900000110')],
    });

    expect((await shop.deliver(notificationXml())).statusCode).toBe(401);
    expect(await shop.row()).toMatchObject(UNPAID);
  });

  test('in another mini-program of the same merchant is refused and raises the alarm', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode } = await shop.deliver(notificationXml({ appid: 'wx9999999999999999' }));

    expect(statusCode).toBe(409);
    expect(await shop.row()).toMatchObject(UNPAID);
    expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
    expect(await shop.alarms()).toEqual({ TransactionMismatch: 1 });
  });

  test('by a merchant number in other digits is refused', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    for (const mch_id of ['１９００００0109', ' 1900000109', '01900000109', '1900000109.0']) {
      expect((await shop.deliver(notificationXml({ mch_id }))).statusCode).toBe(401);
    }
    expect(shop.operations).toEqual([]);
  });
});
