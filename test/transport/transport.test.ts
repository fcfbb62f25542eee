import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { WechatPayTransportError } from '../../lib/errors.ts';
import { openHost } from '../../lib/transport/host.ts';
import { createTransport as open, type WechatRequest } from '../../lib/transport/transport.ts';
import {
  refusingUrl,
  type ScriptedServer,
  serve,
  serveSilence,
} from '../support/scripted-server.ts';
import { LOOPBACK_CERTIFICATE } from '../support/tls-certificate.ts';

const running: ScriptedServer[] = [];

const createTransport = (baseUrls: readonly string[], monotonicMs = () => performance.now()) =>
  open(baseUrls, { openHost, monotonicMs });

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function started(server: Promise<ScriptedServer>): Promise<ScriptedServer> {
  const ready = await server;
  running.push(ready);
  return ready;
}

const answering = (text = 'hello') => started(serve((response) => response.end(text)));
const silent = () => started(serve(() => undefined));
const dropping = () => started(serve((response) => response.destroy()));

const order: WechatRequest = {
  method: 'POST',
  path: '/pay/unifiedorder',
  body: '<xml>支付</xml>',
  contentType: 'text/xml; charset=utf-8',
  timeoutMs: 5_000,
  repeatable: true,
};
const login: WechatRequest = {
  method: 'GET',
  path: '/sns/jscode2session?secret=s3cret&js_code=c',
  timeoutMs: 5_000,
  repeatable: false,
};

/** How a call failed; fails when it was answered. */
async function failureOf(call: Promise<unknown>): Promise<WechatPayTransportError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof WechatPayTransportError)) {
    throw new Error('no transport error');
  }
  return error;
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

    const answer = await createTransport([server.url])(order);

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
    await createTransport([server.url])(login);

    expect(server.received).toMatchObject([{ method: 'GET', url: login.path, body: '' }]);
    expect(server.received[0]?.headers).not.toHaveProperty('content-type');
    expect(server.received[0]?.headers).not.toHaveProperty('content-length');
  });

  test('with a body of no stated kind calls it bytes', async () => {
    const server = await answering();
    await createTransport([server.url])({
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
    const transport = createTransport([server.url]);
    for (let n = 0; n < 3; n += 1) {
      await transport(order);
    }

    expect(server.received).toHaveLength(3);
    expect(server.connections()).toBe(1);
  });

  test('is answered with a redirect as such, and follows none', async () => {
    const elsewhere = await answering();
    const server = await started(
      serve((response) => response.writeHead(302, { location: elsewhere.url }).end()),
    );

    expect(await createTransport([server.url])(order)).toMatchObject({ statusCode: 302 });
    expect(elsewhere.received).toEqual([]);
  });

  test('that Node refuses to send fails as what it is: a mistake of ours', async () => {
    const server = await answering();

    await expect(
      createTransport([server.url])({ ...order, contentType: 'a\nb' }),
    ).rejects.toMatchObject({ code: 'ERR_INVALID_CHAR' });
    expect(server.received).toEqual([]);
  });

  test('to nobody is not sent', async () => {
    const failure = await failureOf(createTransport([])(order));

    expect(failure).toMatchObject({
      code: 'WECHAT_UNREACHABLE',
      outcome: 'not-sent',
      retryable: true,
      message: 'no host of WeChat is configured',
    });
  });
});

describe('a request over TLS', () => {
  test('goes to a host whose certificate is trusted, over one connection', async () => {
    const server = await started(serve((response) => response.end('hello'), LOOPBACK_CERTIFICATE));
    const before = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...before, LOOPBACK_CERTIFICATE.cert]);
    try {
      const transport = createTransport([server.url]);
      await transport(order);

      expect(await transport(login)).toMatchObject({ statusCode: 200, body: Buffer.from('hello') });
      expect(server.connections()).toBe(1);
    } finally {
      tls.setDefaultCACertificates(before);
    }
  });

  test('is not sent to a host whose certificate is not trusted', async () => {
    const server = await started(serve((response) => response.end('hello'), LOOPBACK_CERTIFICATE));

    const failure = await failureOf(createTransport([server.url])(login));

    expect(failure).toMatchObject({
      outcome: 'not-sent',
      message: '127.0.0.1: the connection failed',
    });
    expect(server.received).toEqual([]);
  });

  test('is not sent when no handshake ends in time, and the next host is asked', async () => {
    const mute = await started(serveSilence());
    const server = await answering();

    const failure = await failureOf(createTransport([mute.url])({ ...login, timeoutMs: 200 }));
    const answer = await createTransport([mute.url, server.url])(login);

    expect(failure).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringMatching(/no (connection|answer) in time$/),
    });
    expect(answer.body.toString()).toBe('hello');
    expect(server.received).toHaveLength(1);
  });
});

describe('when a host cannot be connected to', () => {
  test.each([order, login])('$method goes to the next host', async (request) => {
    const server = await answering();

    const answer = await createTransport([await refusingUrl(), server.url])(request);

    expect(answer.body.toString()).toBe('hello');
    expect(server.received).toHaveLength(1);
  });

  test('it goes to the end of the line for 30 seconds', async () => {
    const calls: string[] = [];
    const backup = await started(
      serve((response) => {
        calls.push('backup');
        response.end();
      }),
    );
    let nowMs = 1_000_000;
    const primaryUrl = await refusingUrl();
    const transport = createTransport([primaryUrl, backup.url], () => nowMs);
    await transport(order);
    const primary = await started(
      serveAt(primaryUrl, () => {
        calls.push('primary');
      }),
    );

    nowMs += 29_999;
    await transport(order);
    nowMs += 1;
    await transport(order);

    expect(calls).toEqual(['backup', 'backup', 'primary']);
    expect(primary.received).toHaveLength(1);
  });

  test('and it is avoided, it is still asked when the others cannot be connected to either', async () => {
    const primaryUrl = await refusingUrl();
    const backupUrl = await refusingUrl();
    const transport = createTransport([primaryUrl, backupUrl], () => 0);
    await failureOf(transport(order));
    const primary = await started(serveAt(primaryUrl));

    expect((await transport(order)).statusCode).toBe(200);
    expect(primary.received).toHaveLength(1);
  });

  test('nor any other, the request was not sent, and the reason names host and cause only', async () => {
    const failure = await failureOf(
      createTransport([await refusingUrl(), await refusingUrl('https')])(login),
    );

    expect(failure).toMatchObject({
      code: 'WECHAT_UNREACHABLE',
      outcome: 'not-sent',
      message: '127.0.0.1: the connection failed',
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    });
    expect(`${failure.message} ${String(failure.cause)}`).not.toContain('s3cret');
  });
});

describe('when a host takes the request and does not answer', () => {
  test('an order goes to the next host, for its number makes it safe', async () => {
    const first = await dropping();
    const second = await answering();

    const answer = await createTransport([first.url, second.url])(order);

    expect(answer.body.toString()).toBe('hello');
    expect(first.received).toHaveLength(1);
    expect(second.received).toHaveLength(1);
  });

  test('a login does not: its code is burnt', async () => {
    const first = await dropping();
    const second = await answering();

    const failure = await failureOf(createTransport([first.url, second.url])(login));

    expect(failure.outcome).toBe('unknown');
    expect(first.received).toHaveLength(1);
    expect(second.received).toEqual([]);
  });

  test('and no other host can be connected to, the outcome stays unknown', async () => {
    const first = await dropping();

    const failure = await failureOf(createTransport([first.url, await refusingUrl()])(order));

    expect(failure).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the connection failed',
      cause: expect.objectContaining({ outcome: 'not-sent' }),
    });
  });

  test('nor does any other, the outcome is unknown', async () => {
    const [first, second] = [await dropping(), await dropping()];

    const failure = await failureOf(createTransport([first.url, second.url])(order));

    expect(failure.outcome).toBe('unknown');
    expect(second.received).toHaveLength(1);
  });

  test.each([order, login])(
    '$method fails when its time is up, and no other host is asked',
    async (request) => {
      const first = await silent();
      const second = await answering();
      const startedAt = performance.now();

      const failure = await failureOf(
        createTransport([first.url, second.url])({ ...request, timeoutMs: 300 }),
      );

      expect(failure).toMatchObject({
        outcome: 'unknown',
        message: '127.0.0.1: no answer in time',
      });
      expect(performance.now() - startedAt).toBeGreaterThan(290);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(second.received).toEqual([]);
    },
  );

  test('what a host has used of the time is missing for the next', async () => {
    const first = await started(
      serve((response) => void delay(1_000).then(() => response.destroy())),
    );
    const second = await silent();
    const startedAt = performance.now();

    await failureOf(createTransport([first.url, second.url])({ ...order, timeoutMs: 1_500 }));

    expect(second.received).toHaveLength(1);
    // 1.5 seconds in all; 2.5 if the next host had the whole time again.
    expect(performance.now() - startedAt).toBeLessThan(2_300);
  });

  test('it is avoided afterwards, so that a request that may go out only once finds the other', async () => {
    let answers = false;
    const first = await started(
      serve((response) => {
        if (answers) {
          response.end('first');
        } else {
          response.destroy();
        }
      }),
    );
    const second = await answering('second');
    let nowMs = 0;
    const transport = createTransport([first.url, second.url], () => nowMs);
    await failureOf(transport(login));
    expect((await transport(login)).body.toString()).toBe('second');

    answers = true;
    nowMs = 30_000;
    expect((await transport(login)).body.toString()).toBe('first');
  });
});

describe('when the answer', () => {
  test.each([
    ['has 64 KiB it is taken', 65_536],
    ['is empty it is taken', 0],
  ])('%s', async (_, size) => {
    const server = await answering('x'.repeat(size));

    expect((await createTransport([server.url])(order)).body).toHaveLength(size);
  });

  test.each([65_537, 5_000_000])('has %i bytes the outcome is unknown', async (size) => {
    const server = await answering('x'.repeat(size));

    expect(await failureOf(createTransport([server.url])(order))).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the answer is too large',
    });
  });

  test('never ends and never stops, the outcome is unknown', async () => {
    const server = await started(
      serve((response) => {
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      }),
    );

    expect(
      await failureOf(createTransport([server.url])({ ...order, timeoutMs: 300 })),
    ).toMatchObject({ outcome: 'unknown', message: '127.0.0.1: no answer in time' });
  });

  test('breaks off, the outcome is unknown', async () => {
    const server = await started(
      serve((response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('<xml>');
        setTimeout(() => response.destroy(), 50);
      }),
    );

    expect(await failureOf(createTransport([server.url])(order))).toMatchObject({
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

    expect(await failureOf(createTransport([server.url])(order))).toMatchObject({
      outcome: 'unknown',
      message: '127.0.0.1: the connection failed',
    });
  });
});

describe('when the other side closed a kept-alive connection in the meantime', () => {
  /** Answers the first request of a connection and drops the connection at the second. */
  const forgetful = () =>
    started(
      serve((response, request, received) => {
        const before = received.filter(({ connection }) => connection === request.connection);
        if (before.length === 1) {
          response.end('hello');
        } else {
          response.destroy();
        }
      }),
    );

  test.each([order, login])('$method goes out once more on a new one', async (request) => {
    const server = await forgetful();
    const backup = await answering('backup');
    const transport = createTransport([server.url, backup.url]);
    await transport(request);

    const answer = await transport(request);

    expect(answer.body.toString()).toBe('hello');
    expect(server.received.map(({ connection }) => connection)).toEqual([1, 1, 2]);
    expect(backup.received).toEqual([]);
  });

  test('and cannot be connected to any more, the next host is asked', async () => {
    const first = await serve((response) => response.end('first'));
    const second = await answering('second');
    const transport = createTransport([first.url, second.url]);
    await transport(login);
    await first.stop();

    expect((await transport(login)).body.toString()).toBe('second');
  });

  test('a request that is dropped on the new one as well is not sent a third time', async () => {
    let healthy = true;
    const server = await started(
      serve((response) => {
        if (healthy) {
          response.end();
        } else {
          response.destroy();
        }
      }),
    );
    const transport = createTransport([server.url]);
    await transport(login);
    healthy = false;

    expect((await failureOf(transport(login))).outcome).toBe('unknown');
    expect(server.received).toHaveLength(3);
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
        const transport = createTransport([url]);
        return [order, login].map((request) => transport({ ...request, timeoutMs: 200 }));
      }),
    );
    await delay(100);
    process.off('unhandledRejection', onUnhandled);

    expect(unhandled).toEqual([]);
    expect(openTimers().length).toBeLessThanOrEqual(before);
  });
});

/** A server at an address that was free a moment ago. */
async function serveAt(url: string, onRequest: () => void = () => undefined) {
  const server = await serve(
    (response) => {
      onRequest();
      response.end();
    },
    undefined,
    Number(new URL(url).port),
  );
  return server;
}
