import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, refusedWith } from '../support/notified-shop.ts';
import { notificationXml, OTHER_KEY, paidFields, signed, xmlOf } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();

describe('a notification whose amount was altered', () => {
  const genuine = signed(paidFields());

  test.each([
    ['lowered', { total_fee: '1' }],
    ['raised', { total_fee: '280000' }],
    ['written otherwise', { total_fee: '02800' }],
    ['with a blank', { total_fee: '2800 ' }],
    ['with the cash beside it', { total_fee: '1', cash_fee: '1' }],
    ['and its currency', { total_fee: '1', fee_type: 'JPY' }],
    ['by a coupon that was added', { total_fee: '2800', coupon_fee: '2799' }],
  ])('%s is refused and changes nothing', async (_, change) => {
    const shop = await openNotifiedShop(await emptyTable());
    const before = await shop.row();

    const { statusCode, returned } = await shop.deliver(xmlOf({ ...genuine, ...change }));

    expect(statusCode).toBe(401);
    expect(returned).toEqual(refusedWith('SIGNATURE_INVALID'));
    expect(shop.operations).toEqual([]);
    expect(await shop.row()).toEqual(before);
    expect(shop.log.counts).toEqual({ NotificationRefused: 1, SignatureRejected: 1 });
  });

  test('and signed again with a guessed key is refused', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode } = await shop.deliver(notificationXml({ total_fee: '1' }, OTHER_KEY));

    expect(statusCode).toBe(401);
    expect(shop.operations).toEqual([]);
  });

  test('and signed with an empty key is refused', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode } = await shop.deliver(notificationXml({ total_fee: '1' }, ''));

    expect(statusCode).toBe(401);
  });
});

describe('a genuine notification of a cheaper order', () => {
  test('does not pay a dearer one: the number is signed with the amount', async () => {
    const shop = await openNotifiedShop(await emptyTable(), { order: { totalFen: 280_000 } });

    const { statusCode, returned } = await shop.deliver(notificationXml({ total_fee: '1' }));

    expect(statusCode).toBe(409);
    expect(returned).toEqual(refusedWith('TRANSACTION_MISMATCH'));
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'NOTPAY' } });
    expect(shop.log.counts).toEqual({ NotificationRefused: 1 });
    expect(await shop.alarms()).toEqual({ TransactionMismatch: 1 });
  });

  test.each([
    ['2.8e3', 'MALFORMED_MESSAGE'],
    ['0xaf0', 'MALFORMED_MESSAGE'],
    ['2800.0', 'MALFORMED_MESSAGE'],
    ['-2800', 'MALFORMED_MESSAGE'],
    ['0', 'TRANSACTION_MISMATCH'],
  ])('with the amount "%s" does not pay it either', async (amount, code) => {
    const shop = await openNotifiedShop(await emptyTable());

    const { returned } = await shop.deliver(notificationXml({ total_fee: amount }));

    expect(returned).toEqual(refusedWith(code));
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'NOTPAY' } });
  });
});
