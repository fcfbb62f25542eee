import { createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  openPlatformCertificates,
  type PlatformCertificate,
} from '../../../../lib/wechatpay/v3/protocol/platform-certificates.ts';
import { v3Merchant } from '../../../support/v3-message.ts';

const publicKey = createPublicKey(v3Merchant().wechatpayPublicKey ?? '');
const NOW = Date.parse('2026-03-01T00:00:00Z');
const DAY = 86_400_000;
const A = 'AAAAAAAA';
const B = 'BBBBBBBB';

const certificate = (serialNo: string, notAfterMs = NOW + 365 * DAY): PlatformCertificate => ({
  serialNo,
  publicKey,
  notBeforeMs: NOW - DAY,
  notAfterMs,
});

/** Certificates over a list that a test changes, and a clock that it moves. */
function openTest(...listed: PlatformCertificate[]) {
  const wechat = { listed, fetches: 0, failure: undefined as Error | undefined };
  const clock = { nowMs: NOW };
  const certificates = openPlatformCertificates(
    async () => {
      wechat.fetches += 1;
      const answer = [...wechat.listed];
      await Promise.resolve();
      if (wechat.failure) {
        throw wechat.failure;
      }
      return answer;
    },
    () => clock.nowMs,
  );
  return { wechat, clock, find: (serialNo: string) => certificates.find(serialNo) };
}

describe('a platform certificate', () => {
  test('is fetched when the first message names it, and then known', async () => {
    const { wechat, find } = openTest(certificate(A));

    expect(await find(A)).toBe(publicKey);
    expect(await find(A)).toBe(publicKey);
    expect(wechat.fetches).toBe(1);
  });

  test('is fetched once for all who wait for it', async () => {
    const { wechat, find } = openTest(certificate(A));
    const keys = await Promise.all(Array.from({ length: 20 }, () => find(A)));

    expect(new Set(keys)).toEqual(new Set([publicKey]));
    expect(wechat.fetches).toBe(1);
  });

  test('is looked for once more by whoever came while an older list was on its way', async () => {
    const { wechat, find } = openTest(certificate(A));
    const first = find(A);
    while (wechat.fetches === 0) {
      await Promise.resolve();
    }
    wechat.listed.push(certificate(B));
    const second = find(B);

    expect(await Promise.all([first, second])).toEqual([publicKey, publicKey]);
    expect(wechat.fetches).toBe(2);
  });

  test('of a rotation is there with its first message, beside the old one', async () => {
    const { wechat, clock, find } = openTest(certificate(A));
    await find(A);
    clock.nowMs += 1_000;
    wechat.listed = [certificate(B)];

    expect(await find(B)).toBe(publicKey);
    expect(await find(A)).toBe(publicKey);
    expect(wechat.fetches).toBe(2);
  });

  test('is refreshed on use after twelve hours, and not before', async () => {
    const { wechat, clock, find } = openTest(certificate(A));
    await find(A);
    clock.nowMs += 12 * 3600_000 - 1;
    await find(A);
    expect(wechat.fetches).toBe(1);
    clock.nowMs += 1;
    await find(A);

    expect(wechat.fetches).toBe(2);
  });

  test('is refreshed when the clock was moved back', async () => {
    const { wechat, clock, find } = openTest(certificate(A));
    await find(A);
    clock.nowMs -= 1;
    await find(A);

    expect(wechat.fetches).toBe(2);
  });

  test('that is known holds while WeChat cannot be asked', async () => {
    const { wechat, clock, find } = openTest(certificate(A));
    await find(A);
    clock.nowMs += DAY;
    wechat.failure = new Error('no connection');

    expect(await find(A)).toBe(publicKey);
  });

  test('that is not known fails with why, and is there when the next fetch works', async () => {
    const { wechat, find } = openTest(certificate(A));
    wechat.failure = new Error('no connection');
    const failed = [find(A), find(A)];

    await expect(failed[0]).rejects.toThrow('no connection');
    await expect(failed[1]).rejects.toThrow('no connection');
    wechat.failure = undefined;
    expect(await find(A)).toBe(publicKey);
  });

  test('that a failing fetch does not bring is looked for by whoever waited for it', async () => {
    const { wechat, find } = openTest(certificate(A));
    wechat.failure = new Error('no connection');
    const first = find(A);
    while (wechat.fetches === 0) {
      await Promise.resolve();
    }
    const second = find(A);

    await expect(first).rejects.toThrow('no connection');
    await expect(second).rejects.toThrow('no connection');
    expect(wechat.fetches).toBe(2);
  });

  test.each([
    ['over', -DAY * 2, -300_001],
    ['over this moment', -DAY * 2, -300_000],
    ['not begun', 300_001, DAY],
  ])('whose time is %s counts for nothing', async (_, notBefore, notAfter) => {
    const { find } = openTest({
      ...certificate(A),
      notBeforeMs: NOW + notBefore,
      notAfterMs: NOW + notAfter,
    });

    expect(await find(A)).toBe(undefined);
  });

  test('holds five minutes longer and earlier, because clocks differ', async () => {
    const ended = openTest(certificate(A, NOW - 299_999));
    const begins = openTest({ ...certificate(A), notBeforeMs: NOW + 300_000 });

    expect(await ended.find(A)).toBe(publicKey);
    expect(await begins.find(A)).toBe(publicKey);
  });
});

describe('made-up serial numbers', () => {
  const garbage = (index: number) => (0xf0000000 + index).toString(16).toUpperCase();

  test('make us ask WeChat five times at once and then once in ten seconds', async () => {
    const { wechat, clock, find } = openTest(certificate(A));
    for (let index = 0; index < 1_000; index += 1) {
      expect(await find(garbage(index))).toBe(undefined);
    }
    expect(wechat.fetches).toBe(5);
    clock.nowMs += 9_999;
    await find(garbage(1));
    expect(wechat.fetches).toBe(5);
    clock.nowMs += 1;
    await Promise.all([find(garbage(2)), find(garbage(3)), find(garbage(4))]);

    expect(wechat.fetches).toBe(6);
  });

  test('make us ask no more than five times at once after any silence', async () => {
    const { wechat, clock, find } = openTest(certificate(A));
    const flood = async () => {
      const before = wechat.fetches;
      for (let index = 0; index < 20; index += 1) {
        await find(garbage(index));
      }
      return wechat.fetches - before;
    };
    expect(await flood()).toBe(5);

    clock.nowMs += 25_000;
    expect(await flood()).toBe(2);
    clock.nowMs += DAY;
    expect(await flood()).toBe(5);
    clock.nowMs -= DAY;
    expect(await flood()).toBe(5);
  });

  test('do not forget what is known', async () => {
    const { find } = openTest(certificate(A));
    for (let index = 0; index < 10; index += 1) {
      await find(garbage(index));
    }

    expect(await find(A)).toBe(publicKey);
  });

  test('do not hide a rotation, unless they are many', async () => {
    const { wechat, find } = openTest(certificate(A));
    await find(A);
    for (let index = 0; index < 3; index += 1) {
      await find(garbage(index));
    }
    wechat.listed.push(certificate(B));

    expect(await find(B)).toBe(publicKey);
  });

  test.each(['aaaaaaaa', 'AAAAAAA', 'G'.repeat(8), 'A'.repeat(41), 'PUB_KEY_ID_1', ''])(
    'that cannot be one are not even asked for: %j',
    async (serial) => {
      const { wechat, find } = openTest(certificate(A));

      expect(await find(serial)).toBe(undefined);
      expect(wechat.fetches).toBe(0);
    },
  );
});
