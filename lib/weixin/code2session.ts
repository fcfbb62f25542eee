/**
 * Exchanges a `wx.login` code for the buyer's openid.
 *
 * Source: developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session.
 */
import { LoginError, WechatPayTransportError } from '../errors.ts';
import type { Transport, WechatResponse } from '../transport/transport.ts';
import { loginRefusal } from './login-refusal.ts';

/**
 * The openid behind a login code. A code works once, for 5 minutes; the request is not repeated
 * once it may have reached WeChat, because the repeat would only learn that the code was used.
 *
 * @throws {LoginError} for what the buyer's client can mend by `wx.login`, waiting or not at all.
 * @throws {ConfigError} for what only the mini-program's owner can mend.
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
  const answer = readAnswer(response);
  const errcode = errcodeOf(answer['errcode']);
  if (errcode !== undefined && errcode !== 0) {
    throw loginRefusal(errcode, answer['errmsg']);
  }
  const { openid } = answer;
  if (typeof openid !== 'string' || !/^[\w-]{1,128}$/.test(openid)) {
    throw new LoginError('WEIXIN_BUSY', 'the answer has no usable openid');
  }
  return { openid };
}

/** A number, or the digits of one; whatever else stands there says nothing. */
function errcodeOf(value: unknown): number | undefined {
  const isNumber =
    typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value));
  return isNumber ? Number(value) : undefined;
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

/** The answer carries `session_key` too, so nothing of it is ever quoted. */
function readAnswer({ body, statusCode }: WechatResponse): Readonly<Record<string, unknown>> {
  const text = new TextDecoder().decode(body).trim();
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new LoginError('WEIXIN_BUSY', `the answer is ${kindOf(text)} (HTTP ${statusCode})`);
  }
}

function kindOf(text: string): string {
  if (text === '') {
    return 'empty';
  }
  if (text.startsWith('<')) {
    return 'HTML or XML';
  }
  return text.startsWith('{') ? 'cut off or no JSON' : 'no JSON';
}
