import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, RECEIVED, refusedWith } from '../support/notified-shop.ts';
import { API_V2_KEY, notificationXml, paidFields, xmlOf } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();

describe('a notification signed with MD5 in a deployment that agreed on HMAC-SHA256', () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ['that claims nothing', {}],
    ['that claims MD5', { sign_type: 'MD5' }],
    ['that claims HMAC-SHA256', { sign_type: 'HMAC-SHA256' }],
    ['that claims an empty type', { sign_type: '' }],
    ['that claims another name of MD5', { signType: 'MD5', SIGN_TYPE: 'MD5' }],
  ])('%s is refused, although key and fields are right', async (_, claim) => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode, returned } = await shop.deliver(notificationXml(claim, API_V2_KEY, 'MD5'));

    expect(statusCode).toBe(401);
    expect(returned).toEqual(refusedWith('SIGNATURE_INVALID'));
    expect(shop.operations).toEqual([]);
    expect(shop.log.lines[0]?.fields).toMatchObject({
      reason:
        'sign is right under MD5, but this deployment takes HMAC-SHA256 only (WECHAT_PAY_SIGN_TYPE)',
    });
  });

  test.each(['sha1', 'sha256', 'sha512'])('nor does a plain %s digest count', async (hash) => {
    const shop = await openNotifiedShop(await emptyTable());
    const names = Object.keys(paidFields()).toSorted((a, b) => (a < b ? -1 : 1));
    const text = names.map((name) => `${name}=${paidFields()[name]}`).join('&');
    const sign = createHash(hash).update(`${text}&key=${API_V2_KEY}`).digest('hex').toUpperCase();

    expect((await shop.deliver(xmlOf({ ...paidFields(), sign }))).statusCode).toBe(401);
  });
});

describe('a notification signed with HMAC-SHA256', () => {
  test('that claims MD5 is judged by the agreement, not by the claim', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    const { returned } = await shop.deliver(notificationXml({ sign_type: 'MD5' }));

    expect(returned).toEqual(RECEIVED);
  });

  test('is refused in a deployment that agreed on MD5', async () => {
    const shop = await openNotifiedShop(await emptyTable(), { signType: 'MD5' });

    expect((await shop.deliver(notificationXml())).statusCode).toBe(401);
    expect(shop.operations).toEqual([]);
  });
});
