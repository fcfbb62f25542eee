import { describe, expect, test } from 'vitest';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, refusedWith } from '../support/notified-shop.ts';
import { paidFields, signV2, xmlOf } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();
const right = signV2(paidFields());

describe('a notification', () => {
  test.each<[string, string]>([
    ['without a sign', xmlOf(paidFields())],
    ['with an empty sign', xmlOf({ ...paidFields(), sign: '' })],
    ['with a blank sign', xmlOf({ ...paidFields(), sign: ' ' })],
    ['with an empty tag as sign', xmlOf(paidFields()).replace('<xml>', '<xml><sign/>')],
    ['with its sign under another name', xmlOf({ ...paidFields(), Sign: right })],
    ['with its sign in capitals', xmlOf({ ...paidFields(), SIGN: right })],
    ['with its sign beside the root', `${xmlOf(paidFields())}<sign>${right}</sign>`],
    [
      'with its sign as an attribute',
      xmlOf(paidFields()).replace('<xml>', `<xml sign="${right}">`),
    ],
    [
      'with its sign in a comment',
      xmlOf(paidFields()).replace('<xml>', `<xml><!--<sign>${right}</sign>-->`),
    ],
    [
      'with its sign inside another value',
      xmlOf({ ...paidFields(), attach: `<sign>${right}</sign>` }),
    ],
    ['with its sign in lower case', xmlOf({ ...paidFields(), sign: right.toLowerCase() })],
    ['with half of its sign', xmlOf({ ...paidFields(), sign: right.slice(0, 32) })],
    ['with its sign and more', xmlOf({ ...paidFields(), sign: `${right}\n` })],
    ['with "null" as sign', xmlOf({ ...paidFields(), sign: 'null' })],
    ['with the sign of nothing', xmlOf({ ...paidFields(), sign: signV2({}) })],
    ['with a reference to nothing as sign', xmlOf({ ...paidFields(), sign: 'undefined' })],
  ])('%s pays nothing and touches no table', async (_, xml) => {
    const shop = await openNotifiedShop(await emptyTable());

    const { statusCode, returned } = await shop.deliver(xml);

    expect([400, 401]).toContain(statusCode);
    expect(returned['return_code']).toBe('FAIL');
    expect(shop.operations).toEqual([]);
  });

  test('without a sign is refused for that', async () => {
    const shop = await openNotifiedShop(await emptyTable());

    expect((await shop.deliver(xmlOf(paidFields()))).returned).toEqual(
      refusedWith('SIGNATURE_INVALID'),
    );
    expect(shop.log.lines[0]?.fields).toMatchObject({ reason: 'the message has no sign' });
  });
});
