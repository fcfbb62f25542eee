/**
 * The mini-program's secret is rotated while buyers log in and pay. Each environment of each
 * function has its own cache of the secret, and no two of them are of the same age.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { openLogin } from '../../functions/login.ts';
import { openPrepay } from '../../functions/prepay.ts';
import { openQuery } from '../../functions/query.ts';
import type { HttpHandler } from '../../lib/http/handler.ts';
import { apiEvent } from '../support/api-event.ts';
import { jwt } from '../support/jwt.ts';
import { APPID, CREATED_AT, MCHID, OPENID } from '../support/sample-orders.ts';
import { storedSecrets } from '../support/stored-secret.ts';
import { testMachine } from '../support/test-machine.ts';
import { API_V2_KEY } from '../support/v2-message.ts';

const OLD = {
  appid: APPID,
  appSecret: '0'.repeat(32),
  sessionKey: 'o'.repeat(32),
  quoteKey: 'p'.repeat(32),
};
const NEW = { ...OLD, sessionKey: 'n'.repeat(32), quoteKey: 'm'.repeat(32) };
const MINUTE = 60_000;

const lambda = { awsRequestId: 'lambda-0001' };

/** What all environments share: the clock, the stored secret, and WeChat. */
function openShop() {
  const clock = { nowMs: CREATED_AT * 1000 };
  const stored: { AWSCURRENT: object; AWSPREVIOUS?: object } = { AWSCURRENT: OLD };
  const reads: string[] = [];
  const secrets = {
    'mini-program': stored,
    merchant: { AWSCURRENT: { mchid: MCHID, apiV2Key: API_V2_KEY } },
  };
  const weixin = { answer: { openid: OPENID } as object, asked: [] as string[] };
  const machine = () =>
    testMachine({
      nowMs: () => clock.nowMs,
      openSecretsClient: () => storedSecrets(secrets, (id) => reads.push(id)),
      answer: ({ path }) => {
        weixin.asked.push(path);
        return JSON.stringify(weixin.answer);
      },
    });
  return {
    clock,
    weixin,
    /** How often Secrets Manager was asked for the mini-program's secret. */
    reads: () => reads.filter((id) => id === 'mini-program').length,
    rotate: (next: object) => {
      stored.AWSPREVIOUS = stored.AWSCURRENT;
      stored.AWSCURRENT = next;
    },
    login: () => openLogin(machine()),
    query: () => openQuery(machine()),
    prepay: () => openPrepay(machine()),
  };
}

let shop: ReturnType<typeof openShop>;
beforeEach(() => {
  shop = openShop();
});

async function call(handler: HttpHandler, body: object | undefined, token?: string) {
  const headers = {
    'idempotency-key': 'tap-1',
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const event = apiEvent({ headers, ...(body && { body: JSON.stringify(body) }) });
  const http = { sourceIp: '203.0.113.7' } as typeof event.requestContext.http;
  const answer = await handler(
    {
      ...event,
      pathParameters: { outTradeNo: 'order-0001' },
      requestContext: { ...event.requestContext, http },
    },
    lambda,
  );
  return { status: answer.statusCode, ...JSON.parse(answer.body ?? '') };
}

const logIn = async (handler: HttpHandler): Promise<string> =>
  (await call(handler, { code: '0a3xyz' })).token;

/** `known`: the buyer was known, and then there was no such order. */
async function fate(handler: HttpHandler, token: string): Promise<string> {
  const { error } = await call(handler, undefined, token);
  return error.code === 'ORDER_NOT_FOUND' ? 'known' : error.code;
}

describe('after a rotation of sessionKey and quoteKey', () => {
  /** Environments that have read the secret at different times, the newest just now. */
  async function environments(
    open: () => Promise<HttpHandler>,
    use: (each: HttpHandler) => Promise<unknown>,
  ) {
    const opened: HttpHandler[] = [];
    for (let minute = 0; minute < 5; minute += 1) {
      const handler = await open();
      await use(handler);
      opened.push(handler);
      shop.clock.nowMs += MINUTE - 1;
    }
    return opened;
  }

  test('none of the logins of the next minutes is refused anywhere, whoever signed it', async () => {
    const logins = await environments(shop.login, logIn);
    const before = await logIn(logins[4] ?? (await shop.login()));
    const queries = await environments(shop.query, (each) => fate(each, before));
    shop.rotate(NEW);
    logins.push(await shop.login());
    queries.push(await shop.query());

    const fates: string[] = [];
    for (let second = 0; second < 330; second += 10) {
      const token = await logIn(logins[second % logins.length] as HttpHandler);
      for (const each of queries) {
        fates.push(await fate(each, token), await fate(each, before));
      }
      shop.clock.nowMs += 10_000;
    }

    expect(fates.length).toBe(33 * 6 * 2);
    expect(fates.filter((each) => each !== 'known')).toEqual([]);
  });

  test('an old session ends when its time does, not before and not after', async () => {
    const token = await logIn(await shop.login());
    shop.rotate(NEW);
    const query = await shop.query();

    shop.clock.nowMs += 7_199_000;
    expect(await fate(query, token)).toBe('known');
    shop.clock.nowMs += 1_000;
    expect(await fate(query, token)).toBe('TOKEN_EXPIRED');
  });

  test('a session of the version before the previous one is over', async () => {
    const token = await logIn(await shop.login());
    shop.rotate(NEW);
    shop.rotate({ ...NEW, sessionKey: 'x'.repeat(32) });

    expect(await fate(await shop.query(), token)).toBe('UNAUTHENTICATED');
  });

  test('quotes of either key are taken by environments old and new', async () => {
    const login = await shop.login();
    const old = await shop.prepay();
    const session = await logIn(login);
    await call(old, { items: [] }, session);
    shop.rotate(NEW);
    const young = await shop.prepay();

    const problems: string[] = [];
    for (const each of [old, young]) {
      for (const { quoteKey } of [NEW, OLD]) {
        shop.clock.nowMs += 2_000;
        const claims = { outTradeNo: 'o', totalFen: 1, description: 'x', exp: CREATED_AT + 9_000 };
        problems.push((await call(each, { quote: jwt(claims, quoteKey) }, session)).error.message);
      }
    }

    // The signature held each time: what is wrong is the number of the order.
    expect(problems).toEqual(
      problems.map(() => 'Invalid quote.outTradeNo: 6 to 32 letters, digits, _ or -.'),
    );
  });

  test('forgers make an environment read the secret once in two seconds, and are refused', async () => {
    const query = await shop.query();
    const forged = jwt({ sub: OPENID, aud: APPID, exp: CREATED_AT + 9_000 }, 'f'.repeat(32));
    expect(await fate(query, forged)).toBe('UNAUTHENTICATED');
    const before = shop.reads();

    const fates = await Promise.all(Array.from({ length: 200 }, () => fate(query, forged)));
    expect(new Set(fates)).toEqual(new Set(['UNAUTHENTICATED']));
    expect(shop.reads()).toBe(before);

    shop.clock.nowMs += 2_000;
    await Promise.all(Array.from({ length: 200 }, () => fate(query, forged)));
    // The current and the previous version.
    expect(shop.reads()).toBe(before + 2);
  });

  test.each([
    ['none', ''],
    ['no token', 'abc'],
    ['an old one', jwt({ sub: OPENID, aud: APPID, exp: CREATED_AT - 1 }, OLD.sessionKey)],
    ['one without an audience', jwt({ sub: OPENID, exp: CREATED_AT + 9 }, OLD.sessionKey)],
    ['one with alg none', jwt({ sub: OPENID, aud: APPID }, OLD.sessionKey, { alg: 'none' })],
  ])('no further version is read for a caller whose token is %s', async (_, token) => {
    const query = await shop.query();
    const good = jwt({ sub: OPENID, aud: APPID, exp: CREATED_AT + 9 }, OLD.sessionKey);
    expect(await fate(query, good)).toBe('known');

    expect(await fate(query, token)).toMatch(/^(UNAUTHENTICATED|TOKEN_EXPIRED)$/);
    expect(shop.reads()).toBe(1);
  });

  test('a session says its own mini-program, also when the appid was changed', async () => {
    const token = await logIn(await shop.login());
    shop.rotate({ ...OLD, appid: 'wx9999999999999999' });

    expect(await fate(await shop.query(), token)).toBe('known');
  });
});

describe('after a new appSecret', () => {
  const CHANGED = { ...OLD, appSecret: '1'.repeat(32) };

  test('one login is sent back for a new code, none is sent twice, and the next one is good', async () => {
    const login = await shop.login();
    await logIn(login);
    shop.rotate(CHANGED);
    shop.weixin.answer = { errcode: 40125, errmsg: 'invalid appsecret, rid: r-1' };
    const asked = shop.weixin.asked.length;

    const refused = await call(login, { code: 'first' });
    expect(refused).toMatchObject({ status: 503, error: { code: 'WEIXIN_BUSY' } });

    shop.weixin.answer = { openid: OPENID };
    expect(await call(login, { code: 'second' })).toMatchObject({ status: 200 });
    expect(
      shop.weixin.asked
        .slice(asked)
        .map((path) => /secret=(.).*js_code=(\w+)/.exec(path)?.slice(1)),
    ).toEqual([
      ['0', 'first'],
      ['1', 'second'],
    ]);
  });

  test('that is not in the secret the owner is told', async () => {
    const login = await shop.login();
    shop.weixin.answer = { errcode: 40125, errmsg: 'invalid appsecret, rid: r-1' };

    expect(await call(login, { code: 'first' })).toMatchObject({
      status: 500,
      error: { code: 'CONFIG_ERROR' },
    });
    expect(shop.weixin.asked).toHaveLength(1);
  });
});
