import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, RECEIVED } from '../support/notified-shop.ts';
import { notificationXml } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();
const genuine = notificationXml({ attach: '五号桌 👍' });
const base64 = Buffer.from(genuine).toString('base64');

describe('the flag isBase64Encoded', () => {
  test.each([
    ['true and the body is base64', base64, true],
    ['true and the base64 has line ends', base64.replaceAll(/.{76}/g, '$&\r\n'), true],
    ['false and the body is text', genuine, false],
  ])('is %s: the payment counts', async (_, body, flag) => {
    const shop = await openNotifiedShop(await emptyTable());

    expect((await shop.deliver(body, {}, flag)).returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject({ tradeState: { S: 'SUCCESS' } });
  });

  test.each([
    ['false and the body is base64', base64, false],
    ['true and the body is text', genuine, true],
    ['true and the body is base64 of base64', Buffer.from(base64).toString('base64'), true],
    [
      'true and the body is GBK',
      Buffer.from('<xml><a>\xd6\xa7\xb8\xb6</a></xml>', 'latin1').toString('base64'),
      true,
    ],
    ['true and the body is UTF-16', Buffer.from(genuine, 'utf16le').toString('base64'), true],
    [
      'true and the body was compressed',
      Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0]).toString('base64'),
      true,
    ],
    ['true and there is no body', undefined, true],
    ['true and the body is no base64', '%%%%', true],
  ])('is %s: the message is refused', async (_, body, flag) => {
    const shop = await openNotifiedShop(await emptyTable());

    expect((await shop.deliver(body, {}, flag)).statusCode).toBe(400);
    expect(shop.operations).toEqual([]);
  });
});
