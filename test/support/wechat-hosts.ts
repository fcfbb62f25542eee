/** Hosts of WeChat in every state, and two requests: one that may be repeated and one that may not. */
import { afterEach } from 'vitest';
import { WechatPayTransportError } from '../../lib/errors.ts';
import type { WechatRequest } from '../../lib/transport/transport.ts';
import { type ScriptedServer, serve } from './scripted-server.ts';

const running: ScriptedServer[] = [];

/** Ends the servers of each test after it. */
export function useServers(): void {
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
  });
}

export async function started(server: Promise<ScriptedServer>): Promise<ScriptedServer> {
  const ready = await server;
  running.push(ready);
  return ready;
}

export const answering = (text = 'hello') => started(serve((response) => response.end(text)));
export const silent = () => started(serve(() => undefined));
export const dropping = () => started(serve((response) => response.destroy()));

export const order: WechatRequest = {
  method: 'POST',
  path: '/pay/unifiedorder',
  body: '<xml>支付</xml>',
  contentType: 'text/xml; charset=utf-8',
  timeoutMs: 5_000,
  repeatable: true,
};
export const login: WechatRequest = {
  method: 'GET',
  path: '/sns/jscode2session?secret=s3cret&js_code=c',
  timeoutMs: 5_000,
  repeatable: false,
};

/** How a call failed; fails when it was answered. */
export async function failureOf(call: Promise<unknown>): Promise<WechatPayTransportError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof WechatPayTransportError)) {
    throw new Error('no transport error');
  }
  return error;
}
