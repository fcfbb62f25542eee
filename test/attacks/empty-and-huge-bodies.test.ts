import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, RECEIVED, refusedWith } from '../support/notified-shop.ts';
import { notificationXml } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();
/** The most that Lambda hands over. */
const SIX_MEGABYTES = 6 * 1024 * 1024;

describe('a body', () => {
  test.each([
    ['that is missing', undefined],
    ['that is empty', ''],
    ['that is blank', ' \r\n\t'],
    ['that is an empty root', '<xml></xml>'],
    ['that is an empty tag', '<xml/>'],
    ['that is one bracket', '<'],
  ])('%s is refused', async (_, body) => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode, returned } = await shop.deliver(body);

    expect(statusCode).toBe(400);
    expect(returned).toEqual(refusedWith('MALFORMED_MESSAGE'));
    expect(shop.operations).toEqual([]);
  });

  const pieces = [
    'x',
    '<',
    '&',
    '<a>',
    '<![CDATA[',
    '<xml><a>',
    ']]>',
    '&amp;',
    '<!--',
    '\u0000',
    '中',
  ];

  test.each(pieces)('of 6 MB of "%s" is refused at once', async (piece) => {
    const shop = await openNotifiedShop(await emptyTable());
    const body = piece.repeat(Math.floor(SIX_MEGABYTES / Buffer.byteLength(piece)));
    const startedAt = performance.now();

    const { statusCode } = await shop.deliver(body);

    expect(statusCode).toBe(400);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(shop.operations).toEqual([]);
  });

  test('of 6 MB in base64 is refused at once', async () => {
    const shop = await openNotifiedShop(await emptyTable());
    const startedAt = performance.now();

    const { statusCode } = await shop.deliver('A'.repeat(SIX_MEGABYTES), {}, true);

    expect(statusCode).toBe(400);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test('that is genuine and as long as a message may be counts', async () => {
    const shop = await openNotifiedShop(await emptyTable());
    const room = 64 * 1024 - Buffer.byteLength(notificationXml({ attach: '' }));
    const xml = notificationXml({ attach: 'x'.repeat(room) });

    expect(Buffer.byteLength(xml)).toBe(65_536);
    expect((await shop.deliver(xml)).returned).toEqual(RECEIVED);
  });

  test('that is genuine and a byte longer does not', async () => {
    const shop = await openNotifiedShop(await emptyTable());
    const room = 64 * 1024 - Buffer.byteLength(notificationXml({ attach: '' }));

    const { statusCode } = await shop.deliver(notificationXml({ attach: 'x'.repeat(room + 1) }));

    expect(statusCode).toBe(400);
    expect(shop.log.lines[0]?.fields).toMatchObject({
      reason: 'the message is not a v2 message: it is larger than 64 KiB',
    });
  });
});
