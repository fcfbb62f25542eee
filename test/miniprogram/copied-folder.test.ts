/** The folder `miniprogram/pay`, copied whole into somebody's mini-program. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { compileFunction, createContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { createPay } from '../../miniprogram/pay/pay.js';
import { createPhone, LATTE, OUT_TRADE_NO, PAID } from './phone.ts';

let miniProgram: string;

beforeAll(() => {
  miniProgram = mkdtempSync(join(tmpdir(), 'mini-program-'));
  cpSync(resolve(import.meta.dirname, '../../miniprogram/pay'), join(miniProgram, 'libs/pay'), {
    recursive: true,
    // Only TypeScript and editors need it.
    filter: (path) => !path.endsWith('.d.ts'),
  });
});
afterAll(() => rmSync(miniProgram, { recursive: true }));

/** WeChat's `require`: relative paths of files in the mini-program, and a language without Node. */
function startMiniProgram(globals: object) {
  const parsingContext = createContext(globals);
  const loaded = new Map<string, { exports: unknown }>();

  return function load(path: string): unknown {
    const known = loaded.get(path);
    if (known) {
      return known.exports;
    }
    const module = { exports: {} };
    loaded.set(path, module);
    const run = compileFunction(readFileSync(path, 'utf8'), ['require', 'module', 'exports'], {
      parsingContext,
      filename: path,
    });
    const require = (wanted: string) => {
      const found = join(dirname(path), wanted);
      if (!wanted.startsWith('.') || !found.startsWith(miniProgram) || !existsSync(found)) {
        throw new Error(`module '${wanted}' is not defined`);
      }
      return load(found);
    };
    run(require, module, module.exports);
    return module.exports;
  };
}

function loadClient(globals: object = {}) {
  const entry = join(miniProgram, 'libs/pay/pay.js');
  return startMiniProgram(globals)(entry) as { createPay: typeof createPay };
}

test('exports createPay and takes a payment with what WeChat alone gives it', async () => {
  const client = loadClient();
  const phone = createPhone({}, client.createPay);

  expect(Object.keys(client)).toEqual(['createPay']);
  expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid', order: PAID });
  expect(await phone.pay.resume(OUT_TRADE_NO)).toMatchObject({ status: 'paid', order: PAID });
  expect(await phone.pay.resumePending()).toHaveLength(0);
  expect(phone.sheets).toHaveLength(1);
});

test("without a clock and a wx of its own it uses WeChat's", async () => {
  const urls: string[] = [];
  const pauses: number[] = [];
  const wx = {
    getStorageSync: () => '',
    setStorageSync: () => undefined,
    login: ({ success }: { success: (result: object) => void }) => success({ code: 'code-1' }),
    request: ({ url, fail }: { url: string; fail: (result: object) => void }) => {
      urls.push(url);
      fail({ errMsg: 'request:fail timeout' });
    },
  };
  const setTimeout = (wake: () => void, ms: number) => {
    pauses.push(ms);
    wake();
  };
  const { createPay } = loadClient({ wx, setTimeout });

  expect(await createPay({ baseUrl: 'https://pay.example.com' }).login()).toMatchObject({
    status: 'failed',
    reason: 'network',
    message: '网络异常，请重试',
  });
  expect(urls).toEqual(Array.from({ length: 3 }, () => 'https://pay.example.com/login'));
  expect(pauses).toEqual([500, 1500]);
});
