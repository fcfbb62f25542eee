import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, OPENID } from '../support/sample-orders.ts';
import {
  ending,
  openPrepayShop,
  quote,
  refusedWith,
  stockCatalogue,
  writtenKeys,
} from '../support/prepay-shop.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
  await stockCatalogue(table);
});

const CREATE = '/pay/unifiedorder';
const open = (options: Parameters<typeof openPrepayShop>[1] = {}) => openPrepayShop(table, options);

const latte = { items: [{ sku: 'latte', quantity: 1 }] };

describe('a quote', () => {
  test('becomes the order that the merchant signed, with one transaction', async () => {
    const shop = open();
    const answer = await shop.call({ quote: await quote({ openid: OPENID, attach: 'gold' }) });

    expect([answer.status, answer.body.outTradeNo, answer.body.totalFen]).toEqual([
      200,
      'quote-0001',
      9900,
    ]);
    expect(shop.happened).toEqual(['TransactWriteItems', CREATE]);
    expect(shop.requests[0]?.fields).toMatchObject({
      out_trade_no: 'quote-0001',
      total_fee: '9900',
      body: '巧克力蛋糕',
      attach: 'gold',
      openid: OPENID,
    });
    expect(shop.log.counts).toEqual({ OrderCreated: 1 });
  });

  test('found under a key that stands for another one by the time it is bound is refused', async () => {
    await open().call({ quote: await quote({}) });
    let transactions = 0;
    const shop = open({
      // The order is found; then another quote takes the key, before this request binds it.
      onOperation: async ({ name, send }) => {
        transactions += Number(name === 'TransactWriteItems');
        if (transactions === 2) {
          const other = { quote: await quote({ outTradeNo: 'quote-0002' }) };
          await open().call(other, { key: 'tap-2' });
        }
        return send();
      },
    });
    const answer = await shop.call({ quote: await quote({}) }, { key: 'tap-2' });

    expect(transactions).toBe(2);
    expect([answer.status, answer.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(answer.body.error.message).toContain('quote-0002');
    expect(shop.requests).toEqual([]);
  });

  test('again, signed anew and under another key, gives the same order in the same words', async () => {
    const shop = open({ nonce: () => 'same' });
    const first = await shop.call({ quote: await quote({}) });
    const again = await shop.call(
      { quote: await quote({ openid: OPENID }, { expiresAt: CREATED_AT + 900 }) },
      { key: 'tap-2' },
    );

    expect(again).toEqual(first);
    expect(shop.requests[1]?.fields).toEqual(shop.requests[0]?.fields);
    expect(shop.log.counts).toEqual({ OrderCreated: 1 });
  });

  test('50 times at once makes one order', async () => {
    const shop = open();
    const token = await quote({});
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => shop.call({ quote: token })),
    );

    expect(answers.map(({ status, body }) => [status, body.outTradeNo])).toEqual(
      Array.from({ length: 50 }, () => [200, 'quote-0001']),
    );
    expect(shop.log.counts).toEqual({ OrderCreated: 1 });
  });

  test.each<[string, Record<string, unknown>, number, string]>([
    ['for another buyer', { openid: 'oSomebodyElse' }, 403, 'QUOTE_FOR_OTHER_BUYER'],
    ['of nothing', { totalFen: 0 }, 400, 'AMOUNT_INVALID'],
    ['of a fraction', { totalFen: 99.5 }, 400, 'AMOUNT_INVALID'],
    ['of too much', { totalFen: 100_000_001 }, 400, 'AMOUNT_INVALID'],
    ['of a text', { totalFen: '9900' }, 400, 'QUOTE_INVALID'],
    ['without an amount', { totalFen: undefined }, 400, 'QUOTE_INVALID'],
    ['without a number', { outTradeNo: undefined }, 400, 'QUOTE_INVALID'],
    ['with a number that WeChat refuses', { outTradeNo: 'a b c d e f' }, 400, 'INVALID_REQUEST'],
    ['with a short number', { outTradeNo: 'abc' }, 400, 'INVALID_REQUEST'],
    ['with emoji', { description: '蛋糕🎂' }, 400, 'INVALID_REQUEST'],
    ['with 43 Chinese characters', { description: '茶'.repeat(43) }, 400, 'TEXT_TOO_LONG'],
    ['with too long an attach', { attach: 'x'.repeat(128) }, 400, 'TEXT_TOO_LONG'],
  ])('%s is refused', async (_name, claims, status, code) => {
    const shop = open();

    expect(ending(shop, await shop.call({ quote: await quote(claims) }))).toEqual(
      refusedWith(status, code),
    );
    expect(shop.happened).toEqual([]);
  });

  test('that another key signed, that expired or that is none is refused', async () => {
    const shop = open();
    const forged = await quote({}, { key: 'somebody-else-with-32-characters!!!!' });
    const expired = await quote({}, { expiresAt: CREATED_AT });

    expect(ending(shop, await shop.call({ quote: forged }))).toEqual(
      refusedWith(400, 'QUOTE_INVALID'),
    );
    expect(ending(shop, await shop.call({ quote: expired }))).toEqual(
      refusedWith(400, 'QUOTE_EXPIRED'),
    );
    expect(ending(shop, await shop.call({ quote: 'a.b.c' }))).toEqual(
      refusedWith(400, 'QUOTE_INVALID'),
    );
  });

  test('is refused in a shop without a quote key', async () => {
    const shop = open({ quoteKey: undefined });

    expect(ending(shop, await shop.call({ quote: await quote({}) }))).toEqual(
      refusedWith(400, 'QUOTE_INVALID'),
    );
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['another price', { totalFen: 1 }, OPENID],
    ['another description', { description: '草莓蛋糕' }, OPENID],
    ['another attach', { attach: 'gold' }, OPENID],
    ['the same content for another buyer', {}, 'oSomebodyElse'],
  ])('for a number that exists with %s is a conflict', async (_name, claims, openid) => {
    await open().call({ quote: await quote({}) });
    const before = await writtenKeys(table);
    const shop = open();
    const answer = await shop.call({ quote: await quote(claims) }, { key: 'tap-2', openid });

    expect([answer.status, answer.body.error.code]).toEqual([409, 'ORDER_EXISTS']);
    expect(shop.requests).toEqual([]);
    expect(await writtenKeys(table)).toEqual(before);
  });

  test('under the key of a cart is refused, and the other way round', async () => {
    await open().call(latte, { key: 'tap-1' });
    await open().call({ quote: await quote({}) }, { key: 'tap-2' });
    const before = await writtenKeys(table);
    const shop = open();
    const quoted = await shop.call(
      { quote: await quote({ outTradeNo: 'quote-0002' }) },
      { key: 'tap-1' },
    );
    const cart = await shop.call(latte, { key: 'tap-2' });

    expect([quoted.status, quoted.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect([cart.status, cart.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(cart.body.error.message).toContain('quote-0001');
    expect(shop.requests).toEqual([]);
    expect(await writtenKeys(table)).toEqual(before);
  });

  test('under the key of another quote is refused', async () => {
    const shop = open();
    await shop.call({ quote: await quote({}) });
    const answer = await shop.call({ quote: await quote({ outTradeNo: 'quote-0002' }) });

    expect([answer.status, answer.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await rowOf(table, 'ORDER#quote-0002')).toBeUndefined();
  });
});
