/**
 * Exchanges a `wx.login` code for the buyer's openid.
 *
 * Source: developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session.
 */
import * as v from 'valibot';
import { ConfigError, LoginError, WechatPayTransportError } from '../errors.ts';
import type { Transport, WechatResponse } from '../transport/transport.ts';

/** The answer carries `session_key` too; leaving it out of the schema keeps it in this file. */
const sessionAnswer = v.object({
  openid: v.pipe(v.string(), v.regex(/^[\w-]{1,128}$/)),
});

const errorAnswer = v.object({
  errcode: v.number(),
  errmsg: v.optional(v.string(), ''),
});

/**
 * The openid behind a login code. A code works once, for 5 minutes; the request is not repeated
 * once it may have reached WeChat, because the repeat would only learn that the code was used.
 *
 * @throws {LoginError} for what the buyer's client can mend by `wx.login`, waiting or not at all.
 * @throws {ConfigError} when appid or appSecret are wrong.
 */
export async function code2Session(
  transport: Transport,
  credentials: { appid: string; appSecret: string },
  code: string,
  options: { timeoutMs: number },
): Promise<{ openid: string }> {
  const query = new URLSearchParams({
    appid: credentials.appid,
    secret: credentials.appSecret,
    js_code: code,
    grant_type: 'authorization_code',
  });
  const response = await send(
    transport,
    `/sns/jscode2session?${query.toString()}`,
    options.timeoutMs,
  );
  const json = readJson(response);
  const failure = v.safeParse(errorAnswer, json);
  if (failure.success && failure.output.errcode !== 0) {
    throw loginError(failure.output);
  }
  const session = v.safeParse(sessionAnswer, json);
  if (!session.success) {
    throw new LoginError('WEIXIN_BUSY', 'the answer has no usable openid');
  }
  return { openid: session.output.openid };
}

async function send(
  transport: Transport,
  path: string,
  timeoutMs: number,
): Promise<WechatResponse> {
  try {
    return await transport({ method: 'GET', path, timeoutMs, repeatable: false });
  } catch (error) {
    // The path has the app secret in it; the transport's reason names the host only.
    if (error instanceof WechatPayTransportError) {
      throw new LoginError('WEIXIN_BUSY', `${error.outcome}: ${error.message}`);
    }
    throw error;
  }
}

function readJson(response: WechatResponse): unknown {
  try {
    return JSON.parse(response.body.toString('utf8'));
  } catch {
    throw new LoginError('WEIXIN_BUSY', `the answer is not JSON (HTTP ${response.statusCode})`);
  }
}

/** Every error code that WeChat documents for this call, by who can do something about it. */
function loginError(answer: v.InferOutput<typeof errorAnswer>): Error {
  const reason = `code2session answered ${answer.errcode} (${requestTrace(answer.errmsg)})`;
  switch (answer.errcode) {
    case -1:
      return new LoginError('WEIXIN_BUSY', reason);
    case 40029:
    case 41008:
      return new LoginError('LOGIN_CODE_INVALID', reason);
    case 40163:
      return new LoginError('LOGIN_CODE_USED', reason);
    case 45011:
      return new LoginError('LOGIN_TOO_OFTEN', reason);
    case 40226:
      return new LoginError('LOGIN_USER_BLOCKED', reason);
    case 40013:
    case 41002:
      return new ConfigError(`${reason}: appid in the mini-program secret is wrong`);
    case 40125:
    case 41004:
      return new ConfigError(
        `${reason}: appSecret in the mini-program secret is wrong or was reset`,
      );
    default:
      return new LoginError('WEIXIN_BUSY', reason);
  }
}

/** WeChat support asks for the `rid`; the rest of errmsg may quote what was sent. */
function requestTrace(errmsg: string): string {
  return /rid:\s*([\w-]{1,64})/.exec(errmsg)?.[0] ?? 'no rid';
}
