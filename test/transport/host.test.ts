import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { ClientCertificate } from '../../lib/transport/client-certificate.ts';
import { BrokenConnectionError, openHost } from '../../lib/transport/host.ts';
import type { WechatRequest } from '../../lib/transport/transport.ts';
import { refusingUrl, serve, serveSilence } from '../support/scripted-server.ts';
import { LOOPBACK_CERTIFICATE } from '../support/tls-certificate.ts';
import {
  answering,
  dropping,
  failureOf,
  login,
  order,
  silent,
  started,
  useServers,
} from '../support/wechat-hosts.ts';

useServers();

function hostAt(url: string, clientCertificate?: ClientCertificate) {
  const host = openHost(url, clientCertificate);
  return (request: WechatRequest, isFreshConnection = false) =>
    host(request, {
      timeoutMs: request.timeoutMs,
      connectTimeoutMs: request.timeoutMs,
      isFreshConnection,
    });
}

const openTimers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout');

describe('a request', () => {
  test('arrives as it was given, and its answer comes back byte by byte', async () => {
    const server = await started(
      serve((response) => {
        response.writeHead(418, { 'content-type': 'text/html; charset=gbk' });
        response.end(Buffer.from([0x00, 0xff, 0xe6]));
      }),
    );

    const answer = await hostAt(server.url)(order);

    expect(answer).toMatchObject({ statusCode: 418, body: Buffer.from([0x00, 0xff, 0xe6]) });
    expect(server.received).toEqual([
      {
        method: 'POST',
        url: '/pay/unifiedorder',
        body: '<xml>支付</xml>',
        connection: 1,
        headers: {
          accept: '*/*',
          'user-agent': 'wechatpay-serverless',
          'content-type': 'text/xml; charset=utf-8',
          'content-length': '17',
          host: new URL(server.url).host,
          connection: 'keep-alive',
        },
      },
    ]);
  });

  test('without a body says nothing about one', async () => {
    const server = await answering();
    await hostAt(server.url)(login);

    expect(server.received).toMatchObject([{ method: 'GET', url: login.path, body: '' }]);
    expect(server.received[0]?.headers).not.toHaveProperty('content-type');
    expect(server.received[0]?.headers).not.toHaveProperty('content-length');
  });

  test('with a body of no stated kind calls it bytes', async () => {
    const server = await answering();
    await hostAt(server.url)({
      method: 'POST',
      path: '/',
      body: 'x',
      timeoutMs: 5_000,
      repeatable: true,
    });

    expect(server.received[0]?.headers['content-type']).toBe('application/octet-stream');
  });

  test('uses the connection of the one before', async () => {
    const server = await answering();
    const host = hostAt(server.url);
    for (let n = 0; n < 3; n += 1) {
      await host(order);
    }

    expect(server.received).toHaveLength(3);
    expect(server.connections()).toBe(1);
  });

  test('is answered with a redirect as such, and follows none', async () => {
    const elsewhere = await answering();
    const server = await started(
      serve((response) => response.writeHead(302, { location: elsewhere.url }).end()),
    );

    expect(await hostAt(server.url)(order)).toMatchObject({ statusCode: 302 });
    expect(elsewhere.received).toEqual([]);
  });

  test('that Node refuses to send fails as what it is: a mistake of ours', async () => {
    const server = await answering();

    await expect(hostAt(server.url)({ ...order, contentType: 'a\nb' })).rejects.toMatchObject({
      code: 'ERR_INVALID_CHAR',
    });
    expect(server.received).toEqual([]);
  });
});

describe('a request over TLS', () => {
  test('goes to a host whose certificate is trusted, over one connection', async () => {
    const server = await started(serve((response) => response.end('hello'), LOOPBACK_CERTIFICATE));
    const before = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...before, LOOPBACK_CERTIFICATE.cert]);
    try {
      const host = hostAt(server.url);
      await host(order);

      expect(await host(login)).toMatchObject({ statusCode: 200, body: Buffer.from('hello') });
      expect(server.connections()).toBe(1);
    } finally {
      tls.setDefaultCACertificates(before);
    }
  });

  test('is not sent to a host whose certificate is not trusted', async () => {
    const server = await started(serve((response) => response.end('hello'), LOOPBACK_CERTIFICATE));

    const failure = await failureOf(hostAt(server.url)(login));

    expect(failure).toMatchObject({
      outcome: 'not-sent',
      message: '127.0.0.1: the connection failed',
    });
    expect(server.received).toEqual([]);
  });

  test('is not sent when no handshake ends in time', async () => {
    const mute = await started(serveSilence());

    expect(await failureOf(hostAt(mute.url)({ ...login, timeoutMs: 200 }))).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringMatching(/no (connection|answer) in time$/),
    });
  });

  /** Says whose certificate it was shown. */
  const asking = () =>
    started(
      serve(
        (response) => {
          const shown = (response.socket as tls.TLSSocket).getPeerCertificate();
          response.end(String(shown.subject?.CN));
        },
        { ...LOOPBACK_CERTIFICATE, requestCert: true, rejectUnauthorized: false },
      ),
    );

  test.each([
    // In 1.2 the handshake ends with the alert, in 1.3 the client had thought it done.
    ['TLSv1.2', 'EPROTO'],
    ['TLSv1.3', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
  ] as const)(
    'without the client certificate that the host demands was not sent: %s',
    async (version, code) => {
      const server = await started(
        serve((response) => response.end('never'), {
          ...LOOPBACK_CERTIFICATE,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: version,
          maxVersion: version,
        }),
      );
      const before = tls.getCACertificates('default');
      tls.setDefaultCACertificates([...before, LOOPBACK_CERTIFICATE.cert]);
      try {
        expect(await failureOf(hostAt(server.url)(order))).toMatchObject({
          outcome: 'not-sent',
          cause: { code },
        });
        expect(server.received).toEqual([]);
      } finally {
        tls.setDefaultCACertificates(before);
      }
    },
  );

  test('shows its client certificate, on a second connection too, and no other host does', async () => {
    const server = await asking();
    const before = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...before, LOOPBACK_CERTIFICATE.cert]);
    try {
      const { cert: certificate, key: privateKey } = LOOPBACK_CERTIFICATE;
      const known = hostAt(server.url, { certificate, privateKey });
      const unknown = hostAt(server.url);
      const answers = [await known(order), await unknown(order), await known(order, true)];

      expect(answers.map(({ body }) => body.toString())).toEqual([
        '127.0.0.1',
        'undefined',
        '127.0.0.1',
      ]);
      expect(server.connections()).toBe(3);
    } finally {
      tls.setDefaultCACertificates(before);
    }
  });
});

describe('when the answer', () => {
  test.each([
    ['has 64 KiB it is taken', 65_536],
    ['is empty it is taken', 0],
  ])('%s', async (_, size) => {
    const server = await answering('x'.repeat(size));

    expect((await hostAt(server.url)(order)).body).toHaveLength(size);
  });

  test.each([65_537, 5_000_000])('has %i bytes the outcome is unknown', async (size) => {
    const server = await answering('x'.repeat(size));

    expect(await failureOf(hostAt(server.url)(order))).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the answer is too large',
    });
  });

  test('is as long as the request allows it is taken, and a byte longer not', async () => {
    const [taken, refused] = [await answering('x'.repeat(100)), await answering('x'.repeat(101))];
    const request = { ...order, maxResponseBytes: 100 };

    expect((await hostAt(taken.url)(request)).body).toHaveLength(100);
    expect(await failureOf(hostAt(refused.url)(request))).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the answer is too large',
    });
  });

  test('may be longer than usual it is taken', async () => {
    const server = await answering('x'.repeat(200_000));

    const answer = await hostAt(server.url)({ ...order, maxResponseBytes: 200_000 });
    expect(answer.body).toHaveLength(200_000);
  });

  test('never ends and never stops, the outcome is unknown', async () => {
    const server = await started(
      serve((response) => {
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      }),
    );

    expect(await failureOf(hostAt(server.url)({ ...order, timeoutMs: 300 }))).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: no answer in time',
    });
  });

  test('breaks off, the outcome is unknown', async () => {
    const server = await started(
      serve((response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('<xml>');
        setTimeout(() => response.destroy(), 50);
      }),
    );

    expect(await failureOf(hostAt(server.url)(order))).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the answer broke off',
    });
  });

  test('is not HTTP, the outcome is unknown', async () => {
    const server = await started(
      serve((response) => {
        response.socket?.end('SSH-2.0-OpenSSH\r\n\r\n');
      }),
    );

    expect(await failureOf(hostAt(server.url)(order))).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the connection failed',
    });
  });
});

describe('a request on a connection of its own', () => {
  test('uses no kept-alive one, and leaves none behind', async () => {
    const server = await answering();
    const host = hostAt(server.url);
    await host(order);
    await host(order, true);
    await host(order);

    expect(server.received.map(({ connection }) => connection)).toEqual([1, 2, 1]);
    expect(server.received[1]?.headers.connection).toBe('close');
  });

  test('that breaks has an unknown outcome, and is not called an old connection', async () => {
    const server = await dropping();

    const failure = await failureOf(hostAt(server.url)(order, true));

    expect(failure).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the connection failed',
    });
    expect(failure).not.toBeInstanceOf(BrokenConnectionError);
  });
});

describe('a kept-alive connection', () => {
  /** Answers the first request of a connection and then does as the test says. */
  const onSecond = (second: (response: ServerResponse) => void) =>
    started(
      serve((response, request, received) => {
        const before = received.filter(({ connection }) => connection === request.connection);
        if (before.length === 1) {
          response.end('hello');
        } else {
          second(response);
        }
      }),
    );

  test.each<[string, (response: ServerResponse) => void]>([
    ['is reset', (response) => response.socket?.resetAndDestroy()],
    ['is closed', (response) => response.destroy()],
  ])('that %s by a server that has read the request has an unknown outcome', async (_, breakIt) => {
    const server = await onSecond(breakIt);
    const host = hostAt(server.url);
    await host(order);

    const failure = await failureOf(host(order));

    expect(failure).toBeInstanceOf(BrokenConnectionError);
    expect(failure).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the connection failed',
    });
    expect(server.received).toHaveLength(2);
  });

  test('that breaks after an answer began did not break under the request', async () => {
    const server = await onSecond((response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('<xml>');
      setTimeout(() => response.socket?.resetAndDestroy(), 50);
    });
    const host = hostAt(server.url);
    await host(order);

    const failure = await failureOf(host(order));

    expect(failure).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the answer broke off',
    });
    expect(failure).not.toBeInstanceOf(BrokenConnectionError);
  });
});

describe('whatever happens to a request', () => {
  test('no timer and no unhandled rejection is left behind', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    const before = openTimers().length;
    const servers = [
      await answering(),
      await dropping(),
      await silent(),
      await answering('x'.repeat(100_000)),
      await started(serveSilence()),
    ];
    const urls = [
      ...servers.map(({ url }) => url),
      await refusingUrl(),
      await refusingUrl('https'),
    ];

    await Promise.allSettled(
      urls.flatMap((url) => {
        const host = hostAt(url);
        return [order, login].map((request) => host({ ...request, timeoutMs: 200 }));
      }),
    );
    await delay(100);
    process.off('unhandledRejection', onUnhandled);

    expect(unhandled).toEqual([]);
    expect(openTimers().length).toBeLessThanOrEqual(before);
  });
});
