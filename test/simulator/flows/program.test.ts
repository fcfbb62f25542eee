/** The simulator as a separate process: its line, its signals, its book after `kill -9`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Merchant, WechatpayKeys } from '../../../simulator/book/credentials.ts';
import { createMerchant } from '../../../simulator/create-merchant.ts';
import { sign, startShop, tenpayUtil } from '../support.ts';

let directory: string;
let merchant: Merchant;
let wechatpayKeys: WechatpayKeys;
const running: ChildProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simulator-'));
  ({ merchant, wechatpayKeys } = await createMerchant());
  await writeFile(join(directory, 'merchant.json'), JSON.stringify(merchant));
});
afterEach(() => {
  for (const child of running.splice(0)) {
    child.kill('SIGKILL');
  }
});
afterAll(async () => rm(directory, { recursive: true }));

function run(environment: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'simulator/main.ts'],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        SIMULATOR_PORT: '0',
        SIMULATOR_MERCHANT_FILE: join(directory, 'merchant.json'),
        ...environment,
      },
    },
  );
  running.push(child);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal, errors }));
  const ready = once(child.stdout, 'data').then(
    ([chunk]) => JSON.parse(String(chunk)) as Record<string, string>,
  );
  return { child, exited, ready };
}

describe('the program', () => {
  test('prints one line of JSON when it listens, with a seed to repeat the run', async () => {
    const { ready } = run();
    expect(await ready).toEqual({
      event: 'ready',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      backupUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      tlsUrl: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      tlsBackupUrl: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      tlsAuthority: expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n/),
      seed: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    expect(await run({ SEED: 'mine' }).ready).toMatchObject({ seed: 'mine' });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends cleanly on %s', async (signal) => {
    const { child, ready, exited } = run();
    await ready;
    child.kill(signal);
    expect(await exited).toEqual({ code: 0, signal: null, errors: '' });
  });

  test('ends with its parent when asked to', async () => {
    const { child, ready, exited } = run({ SIMULATOR_EXIT_WITH_PARENT: '1' });
    await ready;
    child.stdin.end();
    expect(await exited).toMatchObject({ code: 0 });
  });

  test('says that a port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    for (const name of ['SIMULATOR_PORT', 'SIMULATOR_BACKUP_PORT']) {
      expect(await run({ [name]: port.toString() }).exited).toMatchObject({
        code: 1,
        errors: `simulator: port ${port} is in use by another program: set another port\n`,
      });
    }
    other.close();
  });

  test.each([
    [{ SIMULATOR_MERCHANT_FILE: '' }, 'SIMULATOR_MERCHANT_FILE must be the path'],
    [{ SIMULATOR_MERCHANT_FILE: '/nowhere.json' }, 'cannot read the merchant file /nowhere.json'],
    [
      { SIMULATOR_BACKUP_PORT: '4190' },
      'SIMULATOR_BACKUP_PORT=4190 is a port that fetch and browsers',
    ],
    [{ SIMULATOR_PORT: 'abc' }, 'SIMULATOR_PORT=abc is not a port: give a whole number'],
    [
      { SIMULATOR_WECHATPAY_KEYS_FILE: '/nowhere.json' },
      'cannot read the file of WeChat Pay keys /nowhere.json',
    ],
  ])('refuses %j', async (environment, text) => {
    const { code, errors } = await run(environment).exited;
    expect(code).toBe(1);
    expect(errors).toContain(text);
  });

  test('refuses the book of another merchant', async () => {
    const SIMULATOR_DB = join(directory, 'owned.sqlite');
    const first = run({ SIMULATOR_DB });
    await first.ready;
    first.child.kill();
    await first.exited;
    const stranger = join(directory, 'stranger.json');
    await writeFile(stranger, JSON.stringify({ ...merchant, mchid: '1900000001' }));
    const { code, errors } = await run({ SIMULATOR_DB, SIMULATOR_MERCHANT_FILE: stranger }).exited;
    expect(code).toBe(1);
    expect(errors).toContain(`is the book of merchant ${merchant.mchid}`);
  });
});

describe('the keys of API v3', () => {
  const status = async (environment: Record<string, string>) => {
    const { ready, child } = run(environment);
    const { url = '' } = await ready;
    const response = await fetch(`${url}/v3/certificates`);
    child.kill();
    return response.status;
  };

  test('are named, or lie beside the merchant file; without them v3 says so', async () => {
    expect(await status({})).toBe(501);
    const named = join(directory, 'keys.json');
    await writeFile(named, JSON.stringify(wechatpayKeys));
    expect(await status({ SIMULATOR_WECHATPAY_KEYS_FILE: named })).toBe(401);
    const beside = join(directory, 'wechatpay-keys.json');
    await writeFile(beside, JSON.stringify(wechatpayKeys));
    expect(await status({})).toBe(401);
    await rm(beside);
  });

  test('must belong to the merchant file', async () => {
    const other = join(directory, 'other-keys.json');
    await writeFile(other, JSON.stringify((await createMerchant()).wechatpayKeys));
    const { code, errors } = await run({ SIMULATOR_WECHATPAY_KEYS_FILE: other }).exited;
    expect([code, errors]).toEqual([
      1,
      "simulator: WeChat Pay's private keys do not belong to the merchant file\n",
    ]);
  });

  test('must be private keys', async () => {
    const bad = join(directory, 'bad-keys.json');
    await writeFile(bad, JSON.stringify({ platformPrivateKey: 'x' }));
    const { code, errors } = await run({ SIMULATOR_WECHATPAY_KEYS_FILE: bad }).exited;
    expect([code, errors]).toEqual([
      1,
      `simulator: ${bad}: "platformPrivateKey" must be a private key\n`,
    ]);
  });
});

test('after kill -9 everything is as WeChat left it, and a pending notification goes out', async () => {
  const SIMULATOR_DB = join(directory, 'killed.sqlite');
  const shop = await startShop();
  shop.answerWith(() => 'not now');

  const call = async (url: string, path: string, fields: Record<string, string>) => {
    const all = { appid: merchant.appid, mch_id: merchant.mchid, nonce_str: 'n', ...fields };
    const body = tenpayUtil.buildXML({ ...all, sign: sign(all, merchant.apiV2Key) });
    const response = await fetch(`${url}${path}`, { method: 'POST', body });
    return tenpayUtil.parseXML(await response.text());
  };
  const control = async (url: string, path: string, body?: unknown) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${url}/_simulator${path}`, init);
    return (await response.json()) as Record<string, unknown>;
  };

  const first = run({ SIMULATOR_DB });
  const { url: firstUrl = '' } = await first.ready;
  const { openid } = (await control(firstUrl, '/users/alice')) as { openid: string };
  const order = {
    body: 'tea',
    total_fee: '1',
    spbill_create_ip: '127.0.0.1',
    notify_url: shop.notifyUrl,
    trade_type: 'JSAPI',
    openid,
  };
  await call(firstUrl, '/pay/unifiedorder', { ...order, out_trade_no: 'paid' });
  await call(firstUrl, '/pay/unifiedorder', { ...order, out_trade_no: 'open' });
  await control(firstUrl, '/orders/paid/pay', {});
  await control(firstUrl, '/clock', { advanceSeconds: 7300 });
  const before = await control(firstUrl, '/orders');
  first.child.kill('SIGKILL');
  expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });

  shop.answerWith(() => '<xml><return_code>SUCCESS</return_code></xml>');
  const attempts = shop.received.length;
  const second = run({ SIMULATOR_DB });
  const { url: secondUrl = '' } = await second.ready;
  expect(await control(secondUrl, '/orders')).toEqual(before);
  expect(await call(secondUrl, '/pay/orderquery', { out_trade_no: 'paid' })).toMatchObject({
    trade_state: 'SUCCESS',
  });
  expect(await call(secondUrl, '/pay/closeorder', { out_trade_no: 'open' })).toMatchObject({
    result_code: 'SUCCESS',
  });
  const { offsetSeconds } = (await control(secondUrl, '/clock')) as { offsetSeconds: number };
  expect(offsetSeconds).toBeCloseTo(7300, 0);
  await control(secondUrl, '/clock', { advanceSeconds: 1800 });
  expect(shop.received).toHaveLength(attempts + 1);
  const { orders } = (await control(secondUrl, '/orders')) as {
    orders: { outTradeNo: string; notifications: { state: string }[] }[];
  };
  const paid = orders.find(({ outTradeNo }) => outTradeNo === 'paid');
  expect(paid?.notifications).toMatchObject([{ state: 'acknowledged' }]);
  await shop.stop();
});
