import { describe, expect, test } from 'vitest';
import { ConfigError, LoginError, WechatPayTransportError } from '../../lib/errors.ts';
import type { WechatRequest } from '../../lib/transport/transport.ts';
import { code2Session } from '../../lib/weixin/code2session.ts';

const APP_SECRET = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const SESSION_KEY = 'tiihtNczf5v6AKRyjwEUhQ==';
const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

/** One exchange with a given answer of WeChat, and the request that went out. */
function exchange(answer: object | string | Error, statusCode = 200, code = '0a3xyz') {
  const sent: WechatRequest[] = [];
  const result = code2Session(
    async (request) => {
      sent.push(request);
      if (answer instanceof Error) {
        throw answer;
      }
      const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
      return { statusCode, headers: {}, body: Buffer.from(text) };
    },
    { appid: 'wx8888888888888888', appSecret: APP_SECRET },
    code,
    { timeoutMs: 1_234 },
  );
  return { result, sent };
}

async function failureOf(...args: Parameters<typeof exchange>): Promise<Error> {
  const error = await exchange(...args).result.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof Error)) {
    throw new Error('the login succeeded');
  }
  const everything = [error.message, error.stack, String(error.cause)].join('\n');
  expect(everything).not.toContain(APP_SECRET);
  expect(everything).not.toContain(SESSION_KEY);
  return error;
}

describe('a login code', () => {
  test('is exchanged by one GET that is not repeated', async () => {
    const { result, sent } = exchange({ openid: OPENID, session_key: SESSION_KEY });
    await result;

    expect(sent).toEqual([
      {
        method: 'GET',
        path: `/sns/jscode2session?appid=wx8888888888888888&secret=${APP_SECRET}&js_code=0a3xyz&grant_type=authorization_code`,
        timeoutMs: 1_234,
        repeatable: false,
      },
    ]);
  });

  test('is exchanged also when a byte-order mark stands before the answer', async () => {
    expect(await exchange(`\uFEFF${JSON.stringify({ openid: OPENID })}`).result).toEqual({
      openid: OPENID,
    });
  });

  test('cannot add to the request', async () => {
    const { result, sent } = exchange({ openid: OPENID }, 200, 'a&secret=b#c/../d e');
    await result;
    const url = new URL(sent[0]?.path ?? '', 'https://api.weixin.qq.com');

    expect(url.pathname).toBe('/sns/jscode2session');
    expect(url.hash).toBe('');
    expect(url.searchParams.getAll('secret')).toEqual([APP_SECRET]);
    expect(url.searchParams.get('js_code')).toBe('a&secret=b#c/../d e');
  });

  test.each([
    ['without an errcode', {}],
    ['with errcode 0', { errcode: 0, errmsg: 'ok' }],
    ['with errcode "0"', { errcode: '0', errmsg: 'ok' }],
    ['with an errcode that is none', { errcode: null }],
    ['with an errcode that is a word', { errcode: 'ok' }],
    ['with an errcode that is an object', { errcode: {} }],
    ['with an errmsg of another type', { errcode: 0, errmsg: { text: 'ok' } }],
    ['with a unionid', { unionid: 'o6_bmasdasdsad6_2sgVt7hMZOPfL' }],
    ['with a unionid of another type', { unionid: 7 }],
    ['with a session_key that is null', { session_key: null }],
  ])('gives the openid and nothing else, answered %s', async (_, more) => {
    const { result } = exchange({ openid: OPENID, session_key: SESSION_KEY, ...more });

    expect(await result).toEqual({ openid: OPENID });
  });
});

describe('a login code is refused', () => {
  test.each([
    [40029, 'LOGIN_CODE_INVALID', false],
    [41008, 'LOGIN_CODE_INVALID', false],
    [40163, 'LOGIN_CODE_USED', false],
    [45011, 'LOGIN_TOO_OFTEN', true],
    [40226, 'LOGIN_USER_BLOCKED', false],
    [-1, 'WEIXIN_BUSY', true],
    [44990, 'LOGIN_TOO_OFTEN', true],
    [40002, 'WEIXIN_BUSY', true],
    [-80000, 'WEIXIN_BUSY', true],
  ])('with errcode %i as %s', async (errcode, code, retryable) => {
    const error = await failureOf({ errcode, errmsg: `text, rid: 65f1a2b3-0c1d2e3f-4a5b6c7d` });

    expect(error).toBeInstanceOf(LoginError);
    expect(error).toMatchObject({
      code,
      retryable,
      message: `code2session answered ${errcode} (rid: 65f1a2b3-0c1d2e3f-4a5b6c7d)`,
    });
  });

  test.each<[number, string, RegExp, object]>([
    [40013, 'appid in the mini-program secret is wrong', /开发设置.*AppID/, { field: 'appid' }],
    [41002, 'appid in the mini-program secret is wrong', /开发设置.*AppID/, { field: 'appid' }],
    [40001, 'appSecret in the .* is wrong or was reset', /AppSecret.*重置/, { field: 'appSecret' }],
    [40125, 'appSecret in the .* is wrong or was reset', /AppSecret.*重置/, { field: 'appSecret' }],
    [41004, 'appSecret in the .* is wrong or was reset', /AppSecret.*重置/, { field: 'appSecret' }],
    [40243, 'the AppSecret is frozen', /AppSecret.*解冻/, { field: 'appSecret' }],
    [40164, 'the IP allow-list', /IP白名单/, {}],
    [61004, 'the IP allow-list', /IP白名单/, {}],
    [89501, 'an administrator .* must confirm', /通知中心/, {}],
    [89503, 'an administrator .* must confirm', /通知中心/, {}],
    [89506, 'an administrator .* must confirm', /通知中心/, {}],
    [89507, 'an administrator .* must confirm', /通知中心/, {}],
    [45009, "the day's quota", /接口调用额度/, {}],
    [48001, 'has taken this interface away', /通知中心/, {}],
    [48004, 'has taken this interface away', /通知中心/, {}],
    [50001, 'has taken this interface away', /通知中心/, {}],
    [50002, 'the account of the mini-program is frozen', /通知中心/, {}],
    [50007, 'the account of the mini-program is frozen', /通知中心/, {}],
  ])('with errcode %i as the owner’s matter: %s', async (errcode, what, page, where) => {
    const error = await failureOf({ errcode, errmsg: `invalid secret ${APP_SECRET}, rid: r-1` });

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({
      code: 'CONFIG_ERROR',
      retryable: false,
      message: expect.stringMatching(
        new RegExp(`^code2session answered ${errcode} \\(rid: r-1\\): .*${what}`),
      ),
      parameters: {
        consolePage: expect.stringMatching(page),
        ...where,
        ...('field' in where && { secret: 'mini-program' }),
      },
    });
  });

  test('also when an openid stands beside the errcode', async () => {
    const error = await failureOf({ errcode: 40029, openid: OPENID, session_key: SESSION_KEY });

    expect(error).toMatchObject({
      code: 'LOGIN_CODE_INVALID',
      message: 'code2session answered 40029 (no rid)',
    });
  });

  test.each<[unknown, string]>([
    ['40029', 'LOGIN_CODE_INVALID'],
    ['-1', 'WEIXIN_BUSY'],
    ['40163', 'LOGIN_CODE_USED'],
  ])('by the digits of an errcode that is a text (%j)', async (errcode, code) => {
    expect(await failureOf({ errcode, errmsg: 'x' })).toMatchObject({ code });
  });

  test.each([[undefined], [null], [7], [{}], [['rid: r-1']], ['']])(
    'by its errcode, whatever errmsg is (%j)',
    async (errmsg) => {
      expect(await failureOf({ errcode: 40029, errmsg })).toMatchObject({
        code: 'LOGIN_CODE_INVALID',
        message: 'code2session answered 40029 (no rid)',
      });
    },
  );

  test('with a text of WeChat that is not repeated', async () => {
    const error = await failureOf({ errcode: 40029, errmsg: `js_code of ${SESSION_KEY} is bad` });

    expect(error.message).toBe('code2session answered 40029 (no rid)');
  });
});

describe('an answer of code2session is not understood', () => {
  test.each([
    ['an empty object', {}],
    ['only a session_key', { session_key: SESSION_KEY }],
    ['an openid that is empty', { openid: '', session_key: SESSION_KEY }],
    ['an openid that is a number', { openid: 1, session_key: SESSION_KEY }],
    ['an openid with blanks', { openid: 'o a', session_key: SESSION_KEY }],
    ['an openid of 129 characters', { openid: 'o'.repeat(129), session_key: SESSION_KEY }],
    ['an errcode that is no number', { errcode: '40029x', errmsg: 'x' }],
    ['a number', '7'],
    ['a text', '"openid"'],
    ['a list', [OPENID]],
    ['null', 'null'],
  ])('when it is %s', async (_, answer) => {
    const error = await failureOf(answer);

    expect(error).toBeInstanceOf(LoginError);
    expect(error).toMatchObject({
      code: 'WEIXIN_BUSY',
      retryable: true,
      message: 'the answer has no usable openid',
    });
  });

  test.each([
    ['HTML or XML', '<html>502 Bad Gateway</html>', 502],
    ['HTML or XML', '\n<!DOCTYPE html>', 200],
    ['empty', '', 200],
    ['empty', ' \r\n', 504],
    ['cut off or no JSON', `{"session_key":"${SESSION_KEY}`, 200],
    ['no JSON', `session_key=${SESSION_KEY}`, 200],
  ])('when it is %s, without quoting it', async (kind, answer, status) => {
    expect(await failureOf(answer, status)).toMatchObject({
      code: 'WEIXIN_BUSY',
      message: `the answer is ${kind} (HTTP ${status})`,
      cause: undefined,
    });
  });
});

describe('when WeChat is not reached', () => {
  test.each(['not-sent', 'unknown'] as const)(
    'the login may be tried again with a new code (%s)',
    async (outcome) => {
      const cause = new Error(`GET https://api.weixin.qq.com/?secret=${APP_SECRET}`);
      const error = await failureOf(
        new WechatPayTransportError(outcome, 'api.weixin.qq.com: no answer in time', cause),
      );

      expect(error).toBeInstanceOf(LoginError);
      expect(error).toMatchObject({
        code: 'WEIXIN_BUSY',
        retryable: true,
        message: `${outcome}: api.weixin.qq.com: no answer in time`,
        cause: undefined,
      });
    },
  );

  test('for a reason of our own, that reason stays as it is', async () => {
    const mistake = new TypeError('a mistake');

    expect(await failureOf(mistake)).toBe(mistake);
  });
});
