/** The session: one login for many calls, a new one when the server asks for it, no trace of it. */
import { describe, expect, test, vi } from 'vitest';
import { createPhone, LATTE, LOST, ok, PREPAID, refused } from './phone.ts';

describe('the token', () => {
  test('is fetched once and used for every request', async () => {
    const phone = createPhone();
    await phone.pay.pay(LATTE);
    await phone.pay.pay(LATTE);

    expect(phone.sentTo('/login')).toHaveLength(1);
    const others = phone.requests.filter(({ path }) => path !== '/login');
    expect(new Set(others.map(({ header }) => header['authorization']))).toEqual(
      new Set(['Bearer token-1']),
    );
  });

  test('survives a restart of the app', async () => {
    const phone = createPhone();
    await phone.pay.login();

    expect(await phone.restart().login()).toMatchObject({ token: 'token-1' });
    expect(phone.sentTo('/login')).toHaveLength(1);
  });

  test('is fetched anew when its time is over', async () => {
    const phone = createPhone();
    await phone.pay.login();
    phone.advance(7199_999);
    expect(await phone.pay.login()).toMatchObject({ token: 'token-1' });
    phone.advance(1);

    expect(await phone.pay.login()).toMatchObject({ token: 'token-2' });
  });

  test('is fetched once for many who ask at the same time', async () => {
    const phone = createPhone();
    await Promise.all([
      phone.pay.login(),
      phone.pay.login(),
      phone.pay.resume('a'),
      phone.pay.login(),
    ]);

    expect(phone.sentTo('/login')).toHaveLength(1);
  });

  test.each(['TOKEN_EXPIRED', 'UNAUTHENTICATED'])(
    'that the server refuses with %s is renewed, and the request repeated with it',
    async (code) => {
      const phone = createPhone();
      phone.answer('/prepay', refused(401, code), ok(PREPAID));

      expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
      expect(phone.sentTo('/login')).toHaveLength(2);
      expect(phone.sentTo('/prepay').map(({ header }) => header['authorization'])).toEqual([
        'Bearer token-1',
        'Bearer token-2',
      ]);
      const keys = phone.sentTo('/prepay').map(({ header }) => header['idempotency-key']);
      expect(new Set(keys).size).toBe(1);
    },
  );

  test('that the server refuses twice is not renewed a second time', async () => {
    const phone = createPhone();
    phone.answer('/prepay', refused(401, 'UNAUTHENTICATED'));

    expect(await phone.pay.pay(LATTE)).toMatchObject({ reason: 'unauthenticated' });
    expect(phone.sentTo('/prepay')).toHaveLength(2);
    expect(phone.sentTo('/login')).toHaveLength(2);
  });

  test('that is refused for two requests at once is renewed once', async () => {
    const phone = createPhone();
    await phone.pay.login();
    phone.answer('/orders', refused(401, 'TOKEN_EXPIRED'), refused(401, 'TOKEN_EXPIRED'), LOST);
    await Promise.all([phone.pay.resume('a'), phone.pay.resume('b')]);

    expect(phone.sentTo('/login')).toHaveLength(2);
  });

  test('of one server is never sent to another', async () => {
    const phone = createPhone();
    await phone.pay.login();
    await phone.restart({ baseUrl: 'https://pay.example.com/other' }).login();

    expect(phone.requests.map(({ path }) => path)).toEqual(['/login', '/other/login']);
  });

  test('lives in memory when the storage is broken', async () => {
    const phone = createPhone();
    phone.breakStorage();
    await phone.pay.pay(LATTE);

    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
    expect(await phone.restart().pay(LATTE)).toMatchObject({ status: 'paid' });
    expect(phone.sentTo('/login')).toHaveLength(2);
  });

  test('and everything else is never logged', async () => {
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
      vi.spyOn(console, method),
    );
    const phone = createPhone();
    phone.answer('/prepay', refused(401, 'TOKEN_EXPIRED'), LOST, ok(PREPAID));
    const result = await phone.pay.pay(LATTE);

    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled();
    }
    expect(JSON.stringify(result)).not.toContain('token');
  });
});

describe('a login', () => {
  test.each([
    [403, 'LOGIN_USER_BLOCKED', 'login-user-blocked', 1],
    [429, 'LOGIN_TOO_OFTEN', 'login-too-often', 1],
    [503, 'WEIXIN_BUSY', 'weixin-busy', 3],
    [503, 'TEMPORARILY_UNAVAILABLE', 'temporarily-unavailable', 3],
  ])(
    'refused with %i %s fails the payment with %s after %i attempts',
    async (status, code, reason, attempts) => {
      const phone = createPhone();
      phone.answer('/login', refused(status, code));

      expect(await phone.pay.pay(LATTE)).toMatchObject({
        status: 'failed',
        reason,
        requestId: 'request-1',
      });
      expect(phone.sentTo('/login')).toHaveLength(attempts);
      expect(phone.sentTo('/prepay')).toEqual([]);
    },
  );

  test('that is refused is a result, not an exception', async () => {
    const phone = createPhone();
    phone.answer('/login', refused(400, 'LOGIN_CODE_INVALID'));

    expect(await phone.pay.login()).toMatchObject({
      status: 'failed',
      reason: 'login-code-invalid',
    });
  });
});
