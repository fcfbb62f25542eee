import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepLoopbackDirect } from '../../local/loopback.ts';

const LOOPBACK = '127.0.0.1,localhost,::1';

describe('the environment', () => {
  it.each([
    [{}, LOOPBACK],
    [{ no_proxy: 'internal.example, .lan' }, `internal.example,.lan,${LOOPBACK}`],
    [{ NO_PROXY: 'localhost' }, 'localhost,127.0.0.1,::1'],
    [{ no_proxy: 'a', NO_PROXY: 'b' }, `a,${LOOPBACK}`],
    [{ no_proxy: 'a,*' }, '*'],
  ])('%o leaves loopback out of proxies', (given: Record<string, string>, expected) => {
    const environment = { ...given };
    keepLoopbackDirect(environment);
    keepLoopbackDirect(environment);
    expect(environment).toEqual({ no_proxy: expected, NO_PROXY: expected });
  });

  it('of these tests does so too, for every client under test', () => {
    expect(process.env['no_proxy']).toContain('127.0.0.1');
    expect(process.env['NO_PROXY']).toContain('127.0.0.1');
  });
});

describe('a program whose Node uses proxies', () => {
  let direct: Server;
  let proxy: Server;
  const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  beforeEach(async () => {
    direct = createServer((_request, response) => response.end('direct')).listen(0, '127.0.0.1');
    proxy = createServer((_request, response) => response.end('proxied')).listen(0, '127.0.0.1');
    proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 502 proxied\r\n\r\n'));
    await Promise.all([once(direct, 'listening'), once(proxy, 'listening')]);
  });
  afterEach(() => {
    direct.close();
    proxy.close();
  });

  const ask = async (preparation: string) => {
    const code = `
      import http from 'node:http';
      import { text } from 'node:stream/consumers';
      import { keepLoopbackDirect } from ${JSON.stringify(new URL('../../local/loopback.ts', import.meta.url).href)};
      ${preparation}
      const fetched = await fetch('${urlOf(direct)}').then((answer) => answer.text(), () => 'proxied');
      const got = await new Promise((resolve) => {
        http.get('${urlOf(direct)}', (answer) => resolve(text(answer))).on('error', () => resolve('proxied'));
      });
      console.log(fetched, await got);
    `;
    const { no_proxy: _no, NO_PROXY: _NO, ...environment } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', code],
      { env: { ...environment, NODE_USE_ENV_PROXY: '1', http_proxy: urlOf(proxy) } },
    );
    return stdout.trim();
  };

  it('reaches loopback without one', async () => {
    expect(await ask('')).toBe('proxied proxied');
    expect(await ask('keepLoopbackDirect();')).toBe('direct direct');
  });
});
