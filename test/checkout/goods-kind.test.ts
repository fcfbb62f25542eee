/** Products and quotes of each kind, up to what WeChat is asked and the row keeps. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import {
  productRow,
  putRow,
  type Row,
  rowOf,
  useEmbeddedTables,
} from '../support/embedded-tables.ts';
import { ending, openPrepayShop, quote, refusedWith, writtenKeys } from '../support/prepay-shop.ts';
import { secretVersions } from '../support/secret-versions.ts';
import { v3Double } from '../support/v3-double.ts';
import { v3Merchant } from '../support/v3-message.ts';

const newTable = useEmbeddedTables();
let table: Table;

const kindOf = (kind: string) => ({ kind: { S: kind } });

beforeEach(async () => {
  table = await newTable();
  const deposit = { minFen: 1, maxFen: 100_000 };
  await putRow(table, productRow('latte', { priceFen: 2800 }, { name: { S: '拿铁' } }));
  await putRow(table, productRow('cup', { priceFen: 4500 }, kindOf('physical')));
  await putRow(table, productRow('deposit', deposit, kindOf('service')));
  await putRow(table, productRow('member', { priceFen: 9900 }, kindOf('virtual')));
  await putRow(table, productRow('wallpaper', { priceFen: 0 }, kindOf('virtual')));
});

const latte = { sku: 'latte', quantity: 1 };
const member = { sku: 'member', quantity: 1 };
const wallpaper = { sku: 'wallpaper', quantity: 1 };

function openV3Shop(options: { readonly allowVirtualGoods?: boolean }) {
  const merchant = v3Merchant();
  const { wechatPay: v3 } = v3Double(
    ({ path }) => {
      shop.happened.push(path);
      return { json: { prepay_id: 'wx01' } };
    },
    { merchant: secretVersions(merchant) },
  );
  const shop = openPrepayShop(table, { ...options, v3, merchant });
  return shop;
}

const kindsOf = (row: Row | undefined) => row?.['items']?.L?.map(({ M }) => M?.['kind']?.S);

describe.each([
  ['v2', (options: object) => openPrepayShop(table, options)],
  ['v3', openV3Shop],
] as const)('over API %s', (_version, open) => {
  test.each<[string, (typeof member)[]]>([
    ['alone', [member]],
    ['beside something physical', [latte, member]],
    ['free of charge beside something that costs', [latte, wallpaper]],
    ['at another price than was shown', [member]],
  ])(
    'a virtual product %s is refused: nothing is written, nobody is called',
    async (name, items) => {
      const shop = open({});
      const shown = name.includes('shown') ? { expectedTotalFen: 1 } : {};
      const answer = await shop.call({ items, ...shown });

      expect(ending(shop, answer)).toEqual(refusedWith(403, 'VIRTUAL_GOODS_NOT_ALLOWED'));
      const { sku } = items.at(-1) ?? member;
      expect(answer.body.error.message).toContain(`: the product ${sku} is virtual. `);
      expect(await writtenKeys(table)).toEqual([]);
    },
  );

  test('a quote for virtual goods is refused: nothing is written, nobody is called', async () => {
    const shop = open({});
    const answer = await shop.call({ quote: await quote({ kind: 'virtual' }) });

    expect(ending(shop, answer)).toEqual(refusedWith(403, 'VIRTUAL_GOODS_NOT_ALLOWED'));
    expect(answer.body.error.message).toContain('the quote is for virtual goods');
    expect(await writtenKeys(table)).toEqual([]);
  });

  test('both are sold where the deployment says so, and the rows say what they are', async () => {
    const shop = open({ allowVirtualGoods: true });
    const cart = await shop.call({ items: [latte, member] });
    const quoted = await shop.call({ quote: await quote({ kind: 'virtual' }) }, { key: 'tap-2' });

    expect([cart.status, quoted.status]).toEqual([200, 200]);
    expect(kindsOf(await rowOf(table, `ORDER#${cart.body.outTradeNo}`))).toEqual([
      undefined,
      'virtual',
    ]);
    expect((await rowOf(table, 'ORDER#quote-0001'))?.['kind']).toEqual({ S: 'virtual' });
  });

  test('an order that was made while it was allowed stays payable, however it is repeated', async () => {
    const before = open({ allowVirtualGoods: true });
    const cart = { items: [member] };
    const signed = { quote: await quote({ kind: 'virtual' }) };
    const { outTradeNo } = (await before.call(cart)).body;
    await before.call(signed, { key: 'tap-2' });

    const shop = open({});
    const repeats = [
      await shop.call(cart),
      await shop.call({ outTradeNo }),
      await shop.call(signed, { key: 'tap-2' }),
      await shop.call(signed, { key: 'tap-3' }),
      await shop.call({ outTradeNo: 'quote-0001' }),
    ];
    expect(repeats.map(({ status, body }) => [status, body.outTradeNo])).toEqual([
      [200, outTradeNo],
      [200, outTradeNo],
      [200, 'quote-0001'],
      [200, 'quote-0001'],
      [200, 'quote-0001'],
    ]);
    const newTap = await shop.call(cart, { key: 'tap-4' });
    expect([newTap.status, newTap.body.error.code]).toEqual([403, 'VIRTUAL_GOODS_NOT_ALLOWED']);
  });

  test('a service is sold, and its row says so', async () => {
    const shop = open({});
    const cart = await shop.call({ items: [{ sku: 'deposit', quantity: 1, amountFen: 5000 }] });
    const quoted = await shop.call({ quote: await quote({ kind: 'service' }) }, { key: 'tap-2' });

    expect([cart.status, quoted.status]).toEqual([200, 200]);
    expect(kindsOf(await rowOf(table, `ORDER#${cart.body.outTradeNo}`))).toEqual(['service']);
    expect((await rowOf(table, 'ORDER#quote-0001'))?.['kind']).toEqual({ S: 'service' });
  });
});

describe('the refusal', () => {
  test('tells the buyer, in both languages, which product it is, why, and what the shop can do', async () => {
    const shop = openPrepayShop(table);
    const { error } = (await shop.call({ items: [latte, member] })).body;
    const { error: chinese } = (await shop.call({ items: [latte, member] }, { language: 'zh' }))
      .body;

    expect(error.message).toBe(
      "Virtual goods cannot be bought here: the product member is virtual. Since 2026-04-01 mini-programs must sell them through WeChat's virtual payment on every terminal. Nothing was charged. The shop can sell it there, correct its kind if it is not virtual, or set allowVirtualGoods if WeChat permits it.",
    );
    expect(chinese.message).toBe(
      '此处不能购买虚拟商品：商品 member 是虚拟商品。自 2026-04-01 起，小程序须在所有终端通过微信虚拟支付销售虚拟商品。没有扣款。商家可改用虚拟支付；若并非虚拟商品，请更正其 kind；若已获微信许可，请设置 allowVirtualGoods。',
    );
  });

  test('of free virtual goods alone is the same, not one of their amount', async () => {
    const { error } = (await openPrepayShop(table).call({ items: [wallpaper] })).body;

    expect(error.code).toBe('VIRTUAL_GOODS_NOT_ALLOWED');
  });

  test('does not stand before that of another buyer’s quote', async () => {
    const signed = await quote({ kind: 'virtual', openid: 'oSomebodyElse' });
    const { error } = (await openPrepayShop(table).call({ quote: signed })).body;

    expect(error.code).toBe('QUOTE_FOR_OTHER_BUYER');
  });

  test('of a number that another order has is a conflict, as for any quote', async () => {
    const shop = openPrepayShop(table);
    await shop.call({ quote: await quote({}) });
    const answer = await shop.call({ quote: await quote({ kind: 'virtual' }) }, { key: 'tap-2' });

    expect([answer.status, answer.body.error.code]).toEqual([409, 'ORDER_EXISTS']);
  });
});

describe('what is physical', () => {
  test('is kept as nothing, said or not', async () => {
    const shop = openPrepayShop(table);
    const { outTradeNo } = (await shop.call({ items: [latte, { sku: 'cup', quantity: 2 }] })).body;
    await shop.call({ quote: await quote({ kind: 'physical' }) }, { key: 'tap-2' });

    expect((await rowOf(table, `ORDER#${outTradeNo}`))?.['items']).toEqual({
      L: [
        { M: { sku: { S: 'latte' }, quantity: { N: '1' }, unitFen: { N: '2800' } } },
        { M: { sku: { S: 'cup' }, quantity: { N: '2' }, unitFen: { N: '4500' } } },
      ],
    });
    expect(await rowOf(table, 'ORDER#quote-0001')).not.toHaveProperty('kind');
  });

  test('is the same quote when that is said', async () => {
    const shop = openPrepayShop(table);
    await shop.call({ quote: await quote({}) });
    const again = await shop.call({ quote: await quote({ kind: 'physical' }) });

    expect([again.status, again.body.outTradeNo]).toEqual([200, 'quote-0001']);
  });

  test('and becomes a service is another order of the same number', async () => {
    const shop = openPrepayShop(table);
    await shop.call({ quote: await quote({}) });
    const again = await shop.call({ quote: await quote({ kind: 'service' }) });

    expect([again.status, again.body.error.code]).toEqual([409, 'ORDER_EXISTS']);
  });
});

describe('an unknown kind', () => {
  test.each(['Virtual', 'virtual ', 'digital', ''])(
    'of a product (%j) sells nothing and names the row for the shop, also where virtual goods are allowed',
    async (kind) => {
      await putRow(table, productRow('ebook', { priceFen: 990 }, kindOf(kind)));
      const shop = openPrepayShop(table, { allowVirtualGoods: true });
      const answer = await shop.call({ items: [{ sku: 'ebook', quantity: 1 }] });

      expect(ending(shop, answer)).toEqual(refusedWith(500, 'CONFIG_ERROR'));
      expect(JSON.stringify(shop.log.lines)).toContain(
        'the row PRODUCT#ebook is not a usable product',
      );
      expect(shop.log.counts).toEqual({ ConfigError: 1 });
    },
  );

  test('of a product that is off sale harms nobody', async () => {
    const row = { ...kindOf('digital'), active: { BOOL: false } };
    await putRow(table, productRow('ebook', { priceFen: 990 }, row));
    const { body } = await openPrepayShop(table).call({ items: [{ sku: 'ebook', quantity: 1 }] });

    expect(body.error.code).toBe('PRODUCT_NOT_FOUND');
  });

  test.each(['Virtual', 'digital', '', null, 1, ['virtual']])(
    'of a quote (%j) makes it invalid, naming the claim',
    async (kind) => {
      const shop = openPrepayShop(table, { allowVirtualGoods: true });
      const answer = await shop.call({ quote: await quote({ kind }) });

      expect(ending(shop, answer)).toEqual(refusedWith(400, 'QUOTE_INVALID'));
      expect(answer.body.error.message).toBe(
        'The quote is not valid: claim kind has a wrong type or value.',
      );
    },
  );
});

test.each([
  ['kind', { items: [latte], kind: 'physical' }],
  ['items[0].kind', { items: [{ ...member, kind: 'physical' }] }],
])('the client has no say in it: %s is an unknown field', async (field, body) => {
  const answer = await openPrepayShop(table).call(body);

  expect([answer.status, answer.body.error.message]).toEqual([
    400,
    `Invalid ${field}: unknown field.`,
  ]);
});
