/** `POST /login`: a `wx.login` code for a session token. `session_key` is never kept, sent or logged. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import { ConfigError, LoginError } from '../lib/errors.ts';
import { type BareMachine, bareMachine } from '../lib/machine.ts';
import { type Config, loadConfig } from '../lib/runtime/config.ts';
import { type HttpHandler, httpHandler, type RequestContext } from '../lib/http/handler.ts';
import { parse, readJson } from '../lib/http/input.ts';
import { once, warmUp } from '../lib/runtime/init.ts';
import { type MiniProgramSecret, openMiniProgramSecret } from '../lib/secrets/mini-program.ts';
import { readAfresh, type VersionedSecret } from '../lib/secrets/versioned-secret.ts';
import { issueToken } from '../lib/http/session.ts';
import { createTransport, type Transport } from '../lib/transport/transport.ts';
import { code2Session } from '../lib/weixin/code2session.ts';

const WEIXIN_TIMEOUT_MS = 5_000;

const body = v.strictObject({
  code: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
});

export interface LoginDependencies {
  readonly config: Pick<Config, 'sessionLifetimeSeconds'>;
  readonly miniProgram: VersionedSecret<MiniProgramSecret>;
  readonly weixin: Transport;
  readonly nowMs: () => number;
}

/** Answers `{"token","expiresIn"}`; `expiresIn` in seconds. */
export async function login(
  event: APIGatewayProxyEventV2,
  { config, miniProgram, weixin, nowMs }: LoginDependencies,
  { log }: Pick<RequestContext, 'log'>,
): Promise<object> {
  const { code } = parse(body, readJson(event));
  const { appid, sessionKey, openid } = await identify(code, miniProgram, weixin);
  const lifetimeSeconds = config.sessionLifetimeSeconds;
  const token = await issueToken(openid, { appid, sessionKey, lifetimeSeconds, nowMs: nowMs() });
  log.info('logged in');
  return { token, expiresIn: lifetimeSeconds };
}

/** Who the code is of, and the version of the secret that WeChat took. */
async function identify(
  code: string,
  miniProgram: VersionedSecret<MiniProgramSecret>,
  weixin: Transport,
): Promise<MiniProgramSecret & { openid: string }> {
  const secret = await miniProgram.current();
  const { appid, appSecret } = secret;
  try {
    const options = { timeoutMs: WEIXIN_TIMEOUT_MS };
    return { ...secret, ...(await code2Session(weixin, { appid, appSecret }, code, options)) };
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    // What WeChat answered says more than a secret that cannot be read just now.
    const newer = await readAfresh(miniProgram).catch(() => secret);
    if (newer.appid === appid && newer.appSecret === appSecret) {
      throw error;
    }
    // The code may be burnt, so it is not sent again; the client comes back with a new one.
    throw new LoginError('WEIXIN_BUSY', `${error.message}; the secret has a new version by now`);
  }
}

function open(machine: BareMachine): LoginDependencies {
  const config = loadConfig(machine.environment);
  return {
    config,
    miniProgram: openMiniProgramSecret(machine.openSecretsClient(), config, machine.nowMs),
    weixin: createTransport(config.weixinBaseUrls, machine),
    nowMs: machine.nowMs,
  };
}

/** The handler of one environment, warmed up if Lambda is just starting it. */
export async function openLogin(machine: BareMachine): Promise<HttpHandler> {
  const dependencies = once(() => open(machine));
  await warmUp(machine.environment, () => [dependencies().miniProgram.current()]);
  return httpHandler(login, dependencies, machine.openLog('login'), machine.startTimer);
}

export const handler = await openLogin(bareMachine);
