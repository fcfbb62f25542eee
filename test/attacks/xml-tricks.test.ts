import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, RECEIVED, refusedWith } from '../support/notified-shop.ts';
import { notificationXml, paidFields, signed, signV2, xmlOf } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();
const genuine = notificationXml();
const inside = (xml: string, extra: string) => xml.replace('</xml>', `${extra}</xml>`);

describe('XML that two readers would understand differently', () => {
  test.each<[string, string]>([
    ['a second amount after the first', inside(genuine, '<total_fee>1</total_fee>')],
    ['a second amount before the first', genuine.replace('<xml>', '<xml><total_fee>1</total_fee>')],
    ['an amount in a nested element', inside(genuine, '<x><total_fee>1</total_fee></x>')],
    ['an amount in an attribute', genuine.replace('<total_fee>', '<total_fee value="1">')],
    ['an amount in a comment', genuine.replace('<![CDATA[2800]]>', '28<!-- 1 -->00')],
    ['an amount after a processing instruction', inside(genuine, '<?total_fee 1?>')],
    [
      'an amount with an entity of its own',
      `<!DOCTYPE xml [<!ENTITY f "2800">]>${genuine.replace('<![CDATA[2800]]>', '&f;')}`,
    ],
    ['an amount in a namespace', inside(genuine, '<a:total_fee xmlns:a="a">1</a:total_fee>')],
    ['a second message after the first', `${genuine}${notificationXml({ total_fee: '1' })}`],
    ['a message around the message', `<xml>${genuine}</xml>`],
    ['a message in another root', genuine.replace(/^<xml>/, '<doc>').replace(/<\/xml>$/, '</doc>')],
    [
      'a CDATA section that swallows a field',
      genuine.replace('<total_fee><![CDATA[', '<x><![CDATA['),
    ],
    ['a CDATA section without an end', genuine.replace(/\]\]>(?=<\/time_end>)/, '')],
    ['a NUL in the middle', genuine.replace('2800', '2800\0')],
    ['a byte order mark', `\ufeff${genuine}`],
    ['text after the end', `${genuine}&#49;`],
    ['a __proto__', inside(genuine, '<__proto__><sign>x</sign></__proto__>')],
    ['a constructor', inside(genuine, '<constructor><prototype>1</prototype></constructor>')],
    ['an encoding that it has not', `<?xml version="1.0" encoding="UTF-7"?>${genuine}`],
  ])('is refused before its signature is looked at: %s', async (_, xml) => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode, returned } = await shop.deliver(xml);

    expect(statusCode).toBe(400);
    expect(returned).toEqual(refusedWith('MALFORMED_MESSAGE'));
    expect(shop.operations).toEqual([]);
  });

  test('does not reach a file or a host', async () => {
    const asked: unknown[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.end('2800');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.dtd`;
    const shop = await openNotifiedShop(await emptyTable());

    for (const doctype of [
      `<!DOCTYPE xml SYSTEM "${url}">`,
      `<!DOCTYPE xml [<!ENTITY % p SYSTEM "${url}"> %p;]>`,
      `<!DOCTYPE xml [<!ENTITY e SYSTEM "${url}">]>`,
      '<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
    ]) {
      const { statusCode } = await shop.deliver(
        `<?xml version="1.0"?>${doctype}${inside(genuine, '<attach>&e;</attach>')}`,
      );
      expect(statusCode).toBe(400);
    }
    await new Promise((resolve) => {
      server.close(resolve);
    });

    expect(asked).toEqual([]);
    expect(shop.operations).toEqual([]);
  });

  test('does not blow up (billion laughs)', async () => {
    const shop = await openNotifiedShop(await emptyTable());
    const entities = Array.from({ length: 30 }, (_, n) => `<!ENTITY e${n + 1} "&e${n};&e${n};">`);
    const startedAt = performance.now();

    const { statusCode } = await shop.deliver(
      `<!DOCTYPE xml [<!ENTITY e0 "ha">${entities.join('')}]>${inside(genuine, '<attach>&e30;</attach>')}`,
    );

    expect(statusCode).toBe(400);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('XML that is odd but means one thing only', () => {
  const plain = (fields: Readonly<Record<string, string>>) =>
    xmlOf(fields).replaceAll(/<!\[CDATA\[([^]*?)\]\]>/g, '$1');

  test.each<[string, string]>([
    ['no CDATA', plain(signed(paidFields()))],
    ['numeric references', plain(signed(paidFields())).replace('>2800<', '>&#50;&#x38;00<')],
    ['a value split over CDATA sections', genuine.replace('[2800]]>', '[28]]><![CDATA[00]]>')],
    [
      'another order of the fields',
      xmlOf({
        sign: signV2(paidFields()),
        ...Object.fromEntries(Object.entries(paidFields()).toReversed()),
      }),
    ],
    ['an empty field that was not signed', inside(genuine, '<device_info/>')],
    ['line ends of Windows', genuine.replaceAll('\n', '\r\n')],
    ['a declaration', `<?xml version="1.0" encoding="utf-8"?>\n${genuine}`],
    ['CDATA inside the value of the buyer', notificationXml({ attach: 'a<![CDATA[b' })],
    [
      'markup inside the value of the buyer',
      notificationXml({ attach: '</attach><total_fee>1</total_fee>' }),
    ],
    [
      'an entity inside the value of the buyer',
      notificationXml({ attach: '<!DOCTYPE x>&x;<?x?>' }),
    ],
  ])('is taken: %s', async (_, xml) => {
    const shop = await openNotifiedShop(await emptyTable());

    expect((await shop.deliver(xml)).returned).toEqual(RECEIVED);
    expect(await shop.row()).toMatchObject({
      tradeState: { S: 'SUCCESS' },
      totalFen: { N: '2800' },
    });
  });
});
