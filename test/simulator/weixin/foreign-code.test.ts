import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';

/** In the form of WeChat's own; the second is what the developer tools give out for a test appid. */
const REAL_CODE = '0a1xTo0w3Jl4N2337b3w3QNmtI1xTo0f';
const MOCK_CODE = 'the code is a mock one';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => bench.stop());

async function exchange(code: string, at = bench): Promise<Record<string, unknown>> {
  const query = new URLSearchParams({
    appid: at.merchant.appid,
    secret: at.merchant.appSecret,
    js_code: code,
    grant_type: 'authorization_code',
  });
  const answer = await fetch(`${at.simulator.url}/sns/jscode2session?${query}`);
  return (await answer.json()) as Record<string, unknown>;
}

const lastNote = async () => {
  const { body } = await bench.control('GET', '/messages');
  return (body['messages'] as unknown as { note?: string }[]).at(-1)?.note;
};

describe('a login code that the simulator did not issue', () => {
  test.each([REAL_CODE, MOCK_CODE])(
    'is refused with the reason and the way out: %s',
    async (code) => {
      const { errcode, errmsg } = await exchange(code);

      expect(errcode).toBe(40029);
      expect(errmsg).toMatch(
        /^invalid code, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}, hint: The sim/,
      );
      expect(errmsg).toContain("WeChat's developer tools send their own");
      expect(errmsg).toContain('npm start -- --devtools-buyer alice');
      expect(await lastNote()).toContain('POST /_simulator/devtools-buyer {"user":"alice"}');
    },
  );

  test('stands for the chosen buyer, once, and for nobody after that choice is taken back', async () => {
    const set = await bench.control('POST', '/devtools-buyer', { user: 'alice' });
    expect(set).toEqual({ status: 200, body: { user: 'alice' } });
    const { openid } = await exchange(REAL_CODE);
    expect(openid).toBe(await bench.openidOf('alice'));
    expect(await lastNote()).toContain('it stands for alice');
    expect((await exchange(REAL_CODE))['errcode']).toBe(40163);

    await bench.control('POST', '/reset');
    expect((await bench.control('GET', '/devtools-buyer')).body).toEqual({ user: 'alice' });
    await bench.control('POST', '/devtools-buyer', { user: null });
    expect((await exchange(`${REAL_CODE}2`))['errcode']).toBe(40029);
  });

  test('stands for the buyer of the start; the text of a test appid each time', async () => {
    const started = await startBench({ devtoolsBuyer: 'bob' });
    for (let time = 0; time < 2; time += 1) {
      expect((await exchange(MOCK_CODE, started))['openid']).toBe(await started.openidOf('bob'));
    }
    await started.stop();
  });

  test('leaves the codes that the simulator did issue to their own users', async () => {
    await bench.control('POST', '/devtools-buyer', { user: 'alice' });
    const { code } = (await bench.control('POST', '/login', { user: 'bob' })).body;
    expect((await exchange(String(code)))['openid']).toBe(await bench.openidOf('bob'));
    expect((await exchange(String(code)))['errcode']).toBe(40163);
    const late = (await bench.control('POST', '/login', { user: 'bob' })).body['code'];
    await bench.control('POST', '/clock', { advanceSeconds: 301 });
    const expired = await exchange(String(late));
    expect(expired['errcode']).toBe(40029);
    expect(expired['errmsg']).not.toContain('hint');
  });
});

describe('the control calls', () => {
  test('say what became of a code', async () => {
    const { code } = (await bench.control('POST', '/login', { user: 'bob' })).body;
    const look = async (one: string) =>
      (await bench.control('GET', `/login-codes/${encodeURIComponent(one)}`)).body;
    expect(await look(String(code))).toEqual({ state: 'good' });
    await exchange(String(code));
    expect(await look(String(code))).toEqual({ state: 'used' });
    expect(await look(MOCK_CODE)).toEqual({
      state: 'unknown',
      advice: {
        en: expect.stringContaining('did not issue this login code'),
        zh: expect.stringContaining('不是模拟器签发的'),
      },
    });
  });

  test.each([[{}], [{ user: '' }], [{ user: 1 }], [{ user: 'x'.repeat(65) }]])(
    'refuse %j as a buyer',
    async (body) => {
      expect((await bench.control('POST', '/devtools-buyer', body)).status).toBe(400);
      expect((await bench.control('GET', '/devtools-buyer')).body).toEqual({ user: null });
    },
  );
});
