import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

const newCode = async (user = 'alice') =>
  (await bench.control('POST', '/login', { user })).body['code'] as unknown as string;

async function exchange(changes: Record<string, string | undefined>, method = 'GET') {
  const { merchant, simulator } = bench;
  const query = {
    appid: merchant.appid,
    secret: merchant.appSecret,
    grant_type: 'authorization_code',
    ...changes,
  };
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const url = `${simulator.url}/sns/jscode2session?${new URLSearchParams(given)}`;
  const response = await fetch(url, { method });
  return {
    contentType: response.headers.get('content-type'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe('code2session', () => {
  test('gives openid and session_key for a fresh code, as text/plain', async () => {
    const { contentType, body } = await exchange({ js_code: await newCode() });
    expect(contentType).toBe('text/plain');
    expect(body).toEqual({
      session_key: expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
      openid: expect.stringMatching(/^o[A-Za-z0-9_-]{27}$/),
    });
  });

  test('gives the same person the same openid, and another person another', async () => {
    const openids = [];
    for (const user of ['alice', 'alice', 'bob']) {
      openids.push((await exchange({ js_code: await newCode(user) })).body['openid']);
    }
    expect(openids[0]).toBe(openids[1]);
    expect(openids[0]).not.toBe(openids[2]);
  });

  test('takes a code once', async () => {
    const js_code = await newCode();
    await exchange({ js_code });
    expect((await exchange({ js_code })).body).toEqual({
      errcode: 40163,
      errmsg: expect.stringMatching(/^code been used, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/),
    });
  });

  test('takes a code for 5 minutes', async () => {
    const early = await newCode();
    const late = await newCode();
    await bench.control('POST', '/clock', { advanceSeconds: 290 });
    expect((await exchange({ js_code: early })).body).toHaveProperty('openid');
    await bench.control('POST', '/clock', { advanceSeconds: 10 });
    expect((await exchange({ js_code: late })).body).toMatchObject({ errcode: 40029 });
  });

  test.each([
    ['an unknown code', { js_code: 'nothing' }, 40029, 'invalid code'],
    ['no code', {}, 41008, 'missing code'],
    ['no appid', { appid: undefined, js_code: 'x' }, 41002, 'appid missing'],
    ['no secret', { secret: undefined, js_code: 'x' }, 41004, 'appsecret missing'],
    ['another appid', { appid: 'wx0', js_code: 'x' }, 40013, 'invalid appid'],
    ['another secret', { secret: 'wrong', js_code: 'x' }, 40125, 'invalid appsecret'],
    ['no grant_type', { grant_type: undefined, js_code: 'x' }, 40002, 'invalid grant_type'],
  ])('refuses %s', async (_, changes, errcode, text) => {
    const { body } = await exchange(changes);
    expect(body['errcode']).toBe(errcode);
    expect(body['errmsg']).toMatch(new RegExp(`^${text}, rid: `));
  });

  test('refuses POST', async () => {
    expect((await exchange({ js_code: 'x' }, 'POST')).body).toMatchObject({ errcode: 43001 });
  });

  test.each([-1, 45011, 40226, 40163])('fails with %i on request, once', async (code) => {
    const fault = { point: 'code2session', kind: 'error', code, times: 1 };
    await bench.control('POST', '/faults', fault);
    const js_code = await newCode();
    expect((await exchange({ js_code })).body).toMatchObject({ errcode: code });
    expect((await exchange({ js_code })).body).toHaveProperty('openid');
  });

  test('shows neither the secret nor the session_key in the messages, not even a wrong secret', async () => {
    const { body } = await exchange({ js_code: await newCode() });
    await exchange({ js_code: 'x', secret: 'the-secret-of-another-app' });
    const log = JSON.stringify((await bench.control('GET', '/messages')).body);
    expect(log).toContain('jscode2session?appid=');
    expect(log).not.toContain(bench.merchant.appSecret);
    expect(log).not.toContain('the-secret-of-another-app');
    expect(log).not.toContain(body['session_key']);
  });
});
