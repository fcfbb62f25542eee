import { describe, expect, test } from 'vitest';
import { login, type LoginDependencies } from '../../functions/login.ts';
import { ConfigError, WechatPayTransportError } from '../../lib/errors.ts';
import { httpHandler } from '../../lib/http/handler.ts';
import { verifyToken } from '../../lib/http/session.ts';
import type { WechatRequest } from '../../lib/transport/transport.ts';
import { apiEvent, recordedFunction, REQUEST_ID } from '../support/api-event.ts';
import { APPID, OPENID } from '../support/sample-orders.ts';
import { secretVersions } from '../support/secret-versions.ts';

const NOW_MS = 1_772_330_400_000;
const SESSION_KEY = 'tiihtNczf5v6AKRyjwEUhQ==';
const secret = {
  appid: APPID,
  appSecret: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  sessionKey: 'session-key-of-the-tests-32-chars',
};

interface Setting {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly weixin?: object | string | Error;
  readonly miniProgram?: LoginDependencies['miniProgram'];
}

/** One `POST /login`; nothing of it may give a secret away. */
async function post({
  body = '{"code":"0a3xyz"}',
  headers = {},
  weixin = { openid: OPENID, session_key: SESSION_KEY },
  miniProgram = secretVersions(secret),
}: Setting = {}) {
  const sent: WechatRequest[] = [];
  const recorded = recordedFunction();
  const handler = httpHandler(
    login,
    (): LoginDependencies => ({
      config: { sessionLifetimeSeconds: 7200 },
      miniProgram,
      weixin: async (request) => {
        sent.push(request);
        if (weixin instanceof Error) {
          throw weixin;
        }
        const text = typeof weixin === 'string' ? weixin : JSON.stringify(weixin);
        return { statusCode: 200, headers: {}, body: Buffer.from(text) };
      },
      nowMs: () => NOW_MS,
    }),
    recorded,
  );
  const answer = await handler(apiEvent({ body, headers }), { awsRequestId: 'lambda' });
  const everything = `${answer.body} ${recorded.text()}`;
  for (const hidden of [SESSION_KEY, secret.appSecret, secret.sessionKey, '0a3xyz', 'stack']) {
    expect(everything).not.toContain(hidden);
  }
  return { ...answer, json: JSON.parse(answer.body ?? ''), recorded, sent };
}

describe('POST /login', () => {
  test('answers a session token of the buyer behind the code, and nothing else', async () => {
    const { statusCode, headers, json, recorded, sent } = await post();

    expect(statusCode).toBe(200);
    expect(headers?.['x-request-id']).toBe(REQUEST_ID);
    expect(json).toEqual({ token: expect.any(String), expiresIn: 7200 });
    expect(
      await verifyToken(`Bearer ${json.token}`, {
        appid: APPID,
        sessionKey: secret.sessionKey,
        nowMs: NOW_MS + 7_199_999,
      }),
    ).toBe(OPENID);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ timeoutMs: 5_000, repeatable: false });
    expect(recorded.log.lines).toEqual([{ level: 'info', message: 'logged in', fields: {} }]);
    expect(recorded.log.counts).toEqual({});
  });

  test.each([
    [40029, 400, 'LOGIN_CODE_INVALID', '登录 code 无效或已过期（5 分钟），请重新调用 wx.login。'],
    [40163, 400, 'LOGIN_CODE_USED', '登录 code 已被使用，请重新调用 wx.login。'],
    [45011, 429, 'LOGIN_TOO_OFTEN', '登录过于频繁，请稍后再试。'],
    [40226, 403, 'LOGIN_USER_BLOCKED', '该微信账号存在风险，暂时无法登录。'],
    [-1, 503, 'WEIXIN_BUSY', '微信系统繁忙，请稍后重新调用 wx.login。'],
    [40125, 500, 'CONFIG_ERROR', '支付配置有误，请联系商家处理。'],
    [40013, 500, 'CONFIG_ERROR', '支付配置有误，请联系商家处理。'],
    [40164, 500, 'CONFIG_ERROR', '支付配置有误，请联系商家处理。'],
    [45009, 500, 'CONFIG_ERROR', '支付配置有误，请联系商家处理。'],
  ])('answers errcode %i with %i %s', async (errcode, status, code, message) => {
    const { statusCode, json, recorded, sent } = await post({
      headers: { 'Accept-Language': 'zh-CN' },
      weixin: { errcode, errmsg: `secret=${secret.appSecret}, rid: r-1`, session_key: SESSION_KEY },
    });

    expect(statusCode).toBe(status);
    expect(json).toEqual({ error: { code, message }, requestId: REQUEST_ID });
    expect(recorded.log.lines).toHaveLength(1);
    expect(recorded.log.lines[0]?.fields).toMatchObject({
      code,
      reason: expect.stringContaining(`code2session answered ${errcode} (rid: r-1)`),
    });
    expect(recorded.log.counts).toEqual(code === 'CONFIG_ERROR' ? { ConfigError: 1 } : {});
    expect(sent).toHaveLength(1);
  });

  test('says in the log where the owner mends a wrong appSecret', async () => {
    const { recorded } = await post({ weixin: { errcode: 40125, errmsg: 'invalid, rid: r-1' } });

    expect(recorded.log.lines[0]).toMatchObject({
      level: 'error',
      fields: {
        code: 'CONFIG_ERROR',
        secret: 'mini-program',
        field: 'appSecret',
        consolePage: expect.stringMatching(/^mp\.weixin\.qq\.com → .*AppSecret/),
      },
    });
  });

  test.each<[string, object | string | Error]>([
    ['HTML', '<html></html>'],
    ['only a session_key', { session_key: SESSION_KEY }],
    ['an answer cut off', `{"session_key":"${SESSION_KEY}`],
    ['nothing', new WechatPayTransportError('unknown', 'api.weixin.qq.com: no answer in time')],
  ])('answers 503 when WeChat says %s', async (_, weixin) => {
    const { statusCode, json } = await post({ weixin });

    expect(statusCode).toBe(503);
    expect(json.error.code).toBe('WEIXIN_BUSY');
  });

  test.each([
    ['no code', '{}', 'Invalid code: missing.'],
    ['an empty code', '{"code":""}', 'Invalid code: empty.'],
    ['a long code', `{"code":"${'x'.repeat(129)}"}`, 'Invalid code: longer than 128 characters.'],
    ['a number as code', '{"code":1}', 'Invalid code: expected a string.'],
    ['an openid of its own', `{"code":"c","openid":"${OPENID}"}`, 'Invalid openid: unknown field.'],
    ['a list', '[]', 'Invalid body: the body must be a JSON object.'],
    ['null', 'null', 'Invalid body: the body must be a JSON object.'],
  ])('refuses %s and does not ask WeChat', async (_, body, message) => {
    const { statusCode, json, sent } = await post({ body });

    expect(statusCode).toBe(400);
    expect(json.error).toEqual({ code: 'INVALID_REQUEST', message });
    expect(sent).toEqual([]);
  });

  test('keeps a field name of 30 kB out of the log', async () => {
    const { statusCode, recorded } = await post({ body: `{"code":"c","${'k'.repeat(30_000)}":1}` });

    expect(statusCode).toBe(400);
    expect(recorded.text().length).toBeLessThan(2_000);
  });

  test('refuses what is no JSON and does not ask WeChat', async () => {
    const { statusCode, json, sent } = await post({ body: 'code=0a3xyz' });

    expect(statusCode).toBe(400);
    expect(json.error.code).toBe('INVALID_JSON');
    expect(sent).toEqual([]);
  });

  test('names a broken secret in the log only', async () => {
    const problem =
      'the secret shop/production/mini-program has a missing or malformed field: appid';
    const { statusCode, body, recorded, sent } = await post({
      miniProgram: {
        ...secretVersions(secret),
        current: () => Promise.reject(new ConfigError(problem)),
      },
    });

    expect(statusCode).toBe(500);
    expect(body).not.toContain('appid');
    expect(recorded.log.lines[0]?.fields).toMatchObject({ reason: problem });
    expect(recorded.log.counts).toEqual({ ConfigError: 1 });
    expect(sent).toEqual([]);
  });
});
