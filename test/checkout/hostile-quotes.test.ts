/** Whatever a client or a signer of quotes sends: an answer that says what is wrong, never a 500. */
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { orderNumberFor } from '../../lib/order/order.ts';
import type { Table } from '../../lib/table/client.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import {
  ending,
  openPrepayShop,
  quote,
  stockCatalogue,
  writtenKeys,
} from '../support/prepay-shop.ts';
import { APPID, OPENID } from '../support/sample-orders.ts';

const newTable = useEmbeddedTables();
let table: Table;

/** The number of the order that a key makes by itself. */
const numberOf = (key: string, openid = OPENID) =>
  orderNumberFor(table.scope, { merchantKey: '', appid: APPID, openid }, key);

describe('a quote whose number is that of an order made by a key', () => {
  beforeEach(async () => {
    table = await newTable();
    await stockCatalogue(table);
  });

  test('of its own key is refused as taken, and writes nothing', async () => {
    const shop = openPrepayShop(table);
    const answer = await shop.call(
      { quote: await quote({ outTradeNo: numberOf('tap-1') }) },
      { key: 'tap-1' },
    );

    expect(ending(shop, answer)).toMatchObject({
      status: 409,
      code: 'ORDER_EXISTS',
      writesAndCalls: [],
    });
    expect(await writtenKeys(table)).toEqual([]);
  });

  test('of its own key, which made that order, is refused as well', async () => {
    await openPrepayShop(table).call({ items: [{ sku: 'latte', quantity: 1 }] }, { key: 'tap-1' });
    const answer = await openPrepayShop(table).call(
      { quote: await quote({ outTradeNo: numberOf('tap-1') }) },
      { key: 'tap-1' },
    );

    expect([answer.status, answer.body.error.code]).toEqual([409, 'ORDER_EXISTS']);
  });

  test('of another key is an order like any other, and that key is used', async () => {
    const made = await openPrepayShop(table).call(
      { quote: await quote({ outTradeNo: numberOf('tap-2') }) },
      { key: 'tap-1' },
    );
    expect(made.status).toBe(200);

    const cart = await openPrepayShop(table).call(
      { items: [{ sku: 'latte', quantity: 1 }] },
      { key: 'tap-2' },
    );
    expect([cart.status, cart.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });
});

describe('anything that can be sent', () => {
  beforeAll(async () => {
    table = await newTable();
    await stockCatalogue(table);
  });

  /** Few of each, so that they meet. */
  const keys = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 40 }).map((tap) => `tap-${tap}`) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 140 }) },
  );
  const buyers = fc.constantFrom(OPENID, 'oOther');
  const json = fc.jsonValue({ maxDepth: 2 });
  const odd = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
    fc.oneof(
      { weight: 40, arbitrary: usual },
      { weight: 1, arbitrary: json },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', ' ', '\0', '\ud800', '😀', '__proto__', 1e308, -0),
      },
    );
  const maybe = (usual: fc.Arbitrary<unknown>) =>
    fc.option(odd(usual), { nil: undefined, freq: 3 });
  const text = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('440305', 'a-1') },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 140 }) },
  );
  const number = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom('quote-0001', 'quote-0002', 'own-0', 'own-1', 'own-2'),
    },
    { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
  );
  const goods = fc.record(
    {
      merchantGoodsId: odd(fc.constantFrom('latte', 'cake')),
      wechatpayGoodsId: maybe(text),
      goodsName: maybe(text),
      quantity: odd(fc.integer({ min: 0, max: 9 })),
      unitPriceFen: odd(fc.integer({ min: 0, max: 5000 })),
    },
    { requiredKeys: ['merchantGoodsId', 'quantity', 'unitPriceFen'] },
  );
  const claims = fc.record({
    outTradeNo: odd(number),
    totalFen: odd(fc.constantFrom(9900, 9900, 1)),
    description: odd(fc.constantFrom('蛋糕', '蛋糕', 'cake')),
    openid: maybe(buyers),
    attach: maybe(text),
    goodsTag: maybe(text),
    limitPay: maybe(fc.constant('no_credit')),
    deviceInfo: maybe(text),
    storeInfo: maybe(fc.record({ id: text, name: maybe(text), areaCode: maybe(text) })),
    receipt: maybe(fc.boolean()),
    profitSharing: maybe(fc.boolean()),
    kind: maybe(fc.constantFrom('physical', 'service', 'service', 'virtual')),
    lifetimeSeconds: maybe(fc.constantFrom(359, 360, 360, 604_800, 604_800, 604_801)),
    detail: maybe(fc.record({ goodsDetail: odd(fc.array(goods, { minLength: 1, maxLength: 3 })) })),
    extra: fc.option(json, { nil: undefined, freq: 10 }),
  });
  const cart = fc.record({
    items: odd(
      fc.array(
        fc.record({
          sku: odd(fc.constantFrom('latte', 'deposit', 'nothing')),
          quantity: odd(fc.integer({ min: -1, max: 10_000 })),
          amountFen: maybe(fc.integer({ min: -1, max: 200_000 })),
        }),
        { maxLength: 3 },
      ),
    ),
    attach: maybe(text),
    expectedTotalFen: maybe(fc.constantFrom(2800)),
  });

  /** Numbers of orders that keys make by themselves, `own-0` by the very key, are known only now. */
  const withOwnNumbers = (each: Record<string, unknown>, key: string, openid: string) => {
    const own = /^own-(\d)$/.exec(String(each['outTradeNo']))?.[1];
    const maker = own === '0' ? key : `tap-${own}`;
    return own === undefined ? each : { ...each, outTradeNo: numberOf(maker, openid) };
  };

  const seen = new Set<number>();
  /** The status of an answer, or what is wrong with it. */
  const statusOf = async (body: unknown, key: string, openid: string) => {
    const { status, body: answer } = await openPrepayShop(table).call(body, { key, openid });
    seen.add(status);
    const isNamed = status === 200 || /^[A-Z_]+$/.test(answer.error.code);
    return isNamed ? status : Number.NaN;
  };
  /** The seed is fixed, because the last test asks what was seen. */
  const rounds = { numRuns: 400, seed: 20261125 };

  test('as claims of a signed quote, under any key, is answered', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(claims, keys, buyers, async (each, key, openid) => {
        const signed = await quote(withOwnNumbers(each, key, openid));
        expect(await statusOf({ quote: signed }, key, openid)).toBeLessThan(500);
      }),
      rounds,
    );
  });

  test('as a cart, or as no JSON at all, under any key, is answered', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(cart, json, text), keys, buyers, async (body, key, openid) => {
        expect(await statusOf(body, key, openid)).toBeLessThan(500);
      }),
      rounds,
    );
  });

  test('as an order to pay again is answered', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(odd(number), keys, buyers, async (outTradeNo, key, openid) => {
        const body = withOwnNumbers({ outTradeNo }, key, openid);
        expect(await statusOf(body, key, openid)).toBeLessThan(500);
      }),
      rounds,
    );
  });

  test('was at times a good order, a bad request, a number and a key that were taken', () => {
    expect([...seen]).toEqual(expect.arrayContaining([200, 400, 409, 422]));
  });
});
