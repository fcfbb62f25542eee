import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, RECEIVED, refusedWith } from '../support/notified-shop.ts';
import { notificationXml, OTHER_KEY } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();
const closedShop = async () =>
  openNotifiedShop(await emptyTable(), { order: { tradeState: 'CLOSED' } });

describe('a payment for an order that was closed', () => {
  test('is recorded as paid and flagged: the money is there', async () => {
    const shop = await closedShop();

    expect((await shop.deliver(notificationXml())).returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject({
      tradeState: { S: 'SUCCESS' },
      paidAfterClose: { BOOL: true },
      transactionId: { S: '4200000001202603010000000001' },
    });
    expect(await shop.alarms()).toEqual({ PaymentAfterClose: 1 });
  });

  test('that is reported again raises no second alarm', async () => {
    const shop = await closedShop();
    await shop.deliver(notificationXml());

    expect((await shop.deliver(notificationXml())).returned).toEqual(RECEIVED);
    expect(await shop.alarms()).toEqual({ PaymentAfterClose: 1 });
  });

  test('of another amount leaves it closed', async () => {
    const shop = await closedShop();

    expect((await shop.deliver(notificationXml({ total_fee: '1' }))).returned).toEqual(
      refusedWith('TRANSACTION_MISMATCH'),
    );
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'CLOSED' } });
  });

  test('that is forged leaves it closed', async () => {
    const shop = await closedShop();

    expect((await shop.deliver(notificationXml({}, OTHER_KEY))).statusCode).toBe(401);
    expect(shop.operations).toEqual([]);
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'CLOSED' } });
  });
});
