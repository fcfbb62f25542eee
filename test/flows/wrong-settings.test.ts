/** What a wrong setting looks like to the buyer and to whoever reads the log, over the whole way. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Credentials } from '../../simulator/book/credentials.ts';
import { createMerchant } from '../../simulator/create-merchant.ts';
import { productRow, putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { newKeyPair } from '../support/rsa-keys.ts';
import { openWorld, type WorldOptions } from '../support/world.ts';

const openTable = useEmbeddedTables();

let credentials: Credentials;
beforeAll(async () => {
  credentials = await createMerchant();
});

/** A buyer logs in, orders and looks, and reconcile runs, in a shop with these mistakes. */
async function shopWith(apiVersion: 'v2' | 'v3', shop: NonNullable<WorldOptions['shop']>) {
  const table = await openTable();
  await putRow(table, productRow('latte', { priceFen: 2800 }));
  const world = await openWorld({ seed: 'wrong', apiVersion, credentials, table, shop });
  const { api, control, machine, trace } = world;
  const { code } = await control('POST', '/login', { user: 'alice' });
  const { body: login } = await api('POST', '/login', { code });
  const headers = {
    authorization: `Bearer ${String(login['token'])}`,
    'idempotency-key': 'tap-1',
    'accept-language': 'zh-CN',
  };
  const before = trace.length;
  const cart = { items: [{ sku: 'latte', quantity: 1 }] };
  const { status, body } = await api('POST', '/prepay', cart, headers);
  const lines = trace.slice(before);
  await machine.advance(3_600_000);
  const summary = await world.reconcile();
  await world.stop();
  return {
    told: [status, body['error']],
    calls: lines.filter(({ to }) => to === 'wechat').length,
    failure: lines.find(({ message }) => message === 'request failed')?.['fields'],
    counted: lines.filter(({ metric }) => metric === 'ConfigError').length,
    summary,
    countedLater: trace
      .slice(before + lines.length)
      .filter(({ metric }) => metric === 'ConfigError'),
  };
}

const other = newKeyPair();
const SERIAL = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1';

describe('a shop with a wrong setting', () => {
  test.each([
    ['v2', 'APIv2 key', { merchant: { apiV2Key: 'x'.repeat(32) } }, 'apiV2Key', '签名错误'],
    [
      'v3',
      'private key',
      { merchant: { merchantPrivateKey: other.privateKey } },
      'merchantPrivateKey, merchantSerialNo',
      'sign not match',
    ],
    ['v3', 'serial', { merchant: { merchantSerialNo: SERIAL } }, 'merchantSerialNo', '序列号'],
    ['v3', 'clock', { clockOffMs: 400_000 }, "clock, 400 s ahead of WeChat's", 'at most 300 s'],
    ['v3', 'clock', { clockOffMs: -400_000 }, "clock, 400 s behind WeChat's", 'at most 300 s'],
  ] as const)(
    '(%s, %s) tells the buyer that it is the shop’s, and the log what',
    async (apiVersion, _, mistakes, field, reason) => {
      // Keys that do not fit the certificate are a mistake of their own.
      const merchant = {
        merchantCertificate: undefined,
        ...('merchant' in mistakes && mistakes.merchant),
      };
      const shop = await shopWith(apiVersion, { ...mistakes, merchant });

      expect(shop.told).toEqual([
        500,
        { code: 'CONFIG_ERROR', message: '支付配置有误，请联系商家处理。' },
      ]);
      expect(shop.calls).toBe(1);
      expect(shop.failure).toMatchObject({
        code: 'CONFIG_ERROR',
        outcome: 'unknown',
        field,
        reason: expect.stringContaining(reason),
      });
      expect(shop.counted).toBe(1);
      // The order's time is over, and it is not closed here as long as nobody can know.
      expect(shop.summary).toMatchObject({ failed: 1, closed: 0 });
      expect(shop.countedLater).toHaveLength(1);
    },
  );
});
