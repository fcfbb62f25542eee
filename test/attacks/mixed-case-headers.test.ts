import { describe, expect, test } from 'vitest';
import { login } from '../../functions/login.ts';
import { httpHandler } from '../../lib/http/handler.ts';
import { verifyToken, issueToken } from '../../lib/http/session.ts';
import { header } from '../../lib/http/input.ts';
import { apiEvent, recordedFunction } from '../support/api-event.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { openNotifiedShop, RECEIVED } from '../support/notified-shop.ts';
import { APPID, OPENID } from '../support/sample-orders.ts';
import { secretVersions } from '../support/secret-versions.ts';
import { notificationXml } from '../support/v2-message.ts';

const emptyTable = useEmbeddedTables();
const SESSION_KEY = 'session-key-of-the-tests-32-chars';

describe('headers in any case', () => {
  test.each([
    [{ 'CONTENT-TYPE': 'text/xml' }],
    [{ 'content-TYPE': 'application/x-www-form-urlencoded' }],
    [{ 'Content-Encoding': 'gzip', 'TRANSFER-encoding': 'chunked' }],
    [{ 'X-HTTP-Method-Override': 'DELETE', 'x-forwarded-for': '127.0.0.1' }],
    [{ constructor: 'y', toString: 'z' }],
  ])('mean nothing to a notification: %j', async (headers) => {
    const shop = await openNotifiedShop(await emptyTable());

    expect((await shop.deliver(notificationXml(), headers)).returned).toEqual(RECEIVED);
  });

  test.each(['authorization', 'Authorization', 'AUTHORIZATION', 'aUtHoRiZaTiOn'])(
    'prove the buyer: %s',
    async (name) => {
      const options = { appid: APPID, sessionKey: SESSION_KEY, nowMs: 0 };
      const token = await issueToken(OPENID, { ...options, lifetimeSeconds: 60 });
      const event = apiEvent({ headers: { [name]: `bEaReR ${token}` } });

      expect(await verifyToken(header(event, 'authorization'), options)).toBe(OPENID);
    },
  );

  test('that were sent twice prove nothing: the gateway joins them with a comma', async () => {
    const options = { appid: APPID, sessionKey: SESSION_KEY, nowMs: 0 };
    const token = await issueToken(OPENID, { ...options, lifetimeSeconds: 60 });
    const twice = apiEvent({ headers: { authorization: `Bearer ${token},Bearer ${token}` } });

    await expect(verifyToken(header(twice, 'authorization'), options)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  test.each(['Accept-Language', 'ACCEPT-LANGUAGE', 'accept-language'])(
    'choose the language: %s',
    async (name) => {
      const handler = httpHandler(
        login,
        () => ({
          config: { sessionLifetimeSeconds: 60 },
          miniProgram: secretVersions({ appid: APPID, appSecret: 'x', sessionKey: SESSION_KEY }),
          weixin: () => Promise.reject(new Error('nobody is asked')),
          nowMs: () => 0,
        }),
        recordedFunction(),
      );

      const answer = await handler(apiEvent({ body: 'x', headers: { [name]: 'zh-CN' } }), {
        awsRequestId: 'lambda',
      });

      expect(JSON.parse(answer.body ?? '').error.message).toBe('请求体为空或不是有效的 JSON。');
    },
  );
});
