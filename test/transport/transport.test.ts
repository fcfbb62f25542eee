import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openHost } from '../../lib/transport/host.ts';
import { createTransport as open } from '../../lib/transport/transport.ts';
import { refusingUrl, serve, serveSilence } from '../support/scripted-server.ts';
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

const createTransport = (baseUrls: readonly string[], monotonicMs = () => performance.now()) =>
  open(baseUrls, { openHost, monotonicMs });

test('a request to nobody is not sent', async () => {
  const failure = await failureOf(createTransport([])(order));

  expect(failure).toMatchObject({
    code: 'WECHAT_UNREACHABLE',
    outcome: 'not-sent',
    retryable: true,
    message: 'no host of WeChat is configured',
  });
});

test('a request that Node refuses to send is a mistake of ours, and no host fails by it', async () => {
  const [first, second] = [await answering('first'), await answering('second')];
  const transport = createTransport([first.url, second.url]);

  await expect(transport({ ...order, contentType: 'a\nb' })).rejects.toMatchObject({
    code: 'ERR_INVALID_CHAR',
  });
  expect((await transport(order)).body.toString()).toBe('first');
  expect(second.received).toEqual([]);
});

describe('when a host cannot be connected to', () => {
  test.each([order, login])('$method goes to the next host', async (request) => {
    const server = await answering();

    const answer = await createTransport([await refusingUrl(), server.url])(request);

    expect(answer.body.toString()).toBe('hello');
    expect(server.received).toHaveLength(1);
  });

  test('any more since the last request, the next host is asked', async () => {
    const first = await serve((response) => response.end('first'));
    const second = await answering('second');
    const transport = createTransport([first.url, second.url]);
    await transport(login);
    await first.stop();

    expect((await transport(login)).body.toString()).toBe('second');
  });

  test('because no handshake ends in time, the next host is asked', async () => {
    const mute = await started(serveSilence());
    const server = await answering();

    expect((await createTransport([mute.url, server.url])(login)).body.toString()).toBe('hello');
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

  test('a login fails when its time is up, and no other host is asked', async () => {
    const first = await silent();
    const second = await answering();
    const startedAt = performance.now();

    const failure = await failureOf(
      createTransport([first.url, second.url])({ ...login, timeoutMs: 300 }),
    );

    expect(failure).toMatchObject({ outcome: 'unknown', message: '127.0.0.1: no answer in time' });
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(second.received).toEqual([]);
  });

  test('an order leaves the next host its share of the time, and finds it first afterwards', async () => {
    const first = await silent();
    const second = await answering();
    const transport = createTransport([first.url, second.url]);
    const startedAt = performance.now();

    expect(await transport({ ...order, timeoutMs: 600 })).toMatchObject({
      statusCode: 200,
      otherAttempts: { count: 1, maybeDelivered: true },
    });
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(performance.now() - startedAt).toBeLessThan(590);

    expect(await transport(order)).not.toHaveProperty('otherAttempts');
    expect(first.received).toHaveLength(1);
    expect(second.received).toHaveLength(2);
  });

  test('an order is over when its whole time is, though no host answers', async () => {
    const hosts = [await silent(), await silent(), await silent()];
    const startedAt = performance.now();

    const failure = await failureOf(
      createTransport(hosts.map(({ url }) => url))({ ...order, timeoutMs: 600 }),
    );

    expect(failure).toMatchObject({ outcome: 'unknown', attempts: 3 });
    expect(performance.now() - startedAt).toBeGreaterThan(590);
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect(hosts.map(({ received }) => received.length)).toEqual([1, 1, 1]);
  });

  test('a time that is too short to be divided goes to the first host alone', async () => {
    const [first, second] = [await silent(), await answering()];

    const failure = await failureOf(
      createTransport([first.url, second.url])({ ...order, timeoutMs: 190 }),
    );

    expect(failure).toMatchObject({ outcome: 'unknown', attempts: 1 });
    expect(second.received).toEqual([]);
  });

  test('what a host has used of the time is missing for the next', async () => {
    const first = await started(
      serve((response) => void delay(1_000).then(() => response.destroy())),
    );
    const second = await silent();
    const startedAt = performance.now();

    await failureOf(createTransport([first.url, second.url])({ ...order, timeoutMs: 2_500 }));

    expect(second.received).toHaveLength(1);
    // 2.5 seconds in all; 3.5 if the next host had the whole time again.
    expect(performance.now() - startedAt).toBeLessThan(3_300);
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

describe('when what answers is not WeChat', () => {
  const failing = (statusCode: number, headers: Record<string, string> = {}) =>
    started(serve((response) => response.writeHead(statusCode, headers).end('<html></html>')));

  test.each([500, 502, 503, 504, 599])(
    'an order goes on after an unsigned %i, and its host is avoided',
    async (statusCode) => {
      const [first, second] = [await failing(statusCode), await answering('second')];
      const transport = createTransport([first.url, second.url]);

      const answer = await transport(order);
      await transport(login);

      expect(answer).toMatchObject({
        statusCode: 200,
        otherAttempts: { count: 1, maybeDelivered: true },
      });
      expect([first.received.length, second.received.length]).toEqual([1, 2]);
    },
  );

  test.each([
    [500, { 'Wechatpay-Signature': 's' }],
    [499, {}],
    [429, {}],
    [401, {}],
    [302, {}],
  ])(
    'but this is it: %i with %j, which nobody else is asked after',
    async (statusCode, headers) => {
      const [first, second] = [await failing(statusCode, headers), await answering('second')];
      const transport = createTransport([first.url, second.url]);

      expect(await transport(order)).toMatchObject({ statusCode });
      expect(await transport(order)).toMatchObject({ statusCode });
      expect(second.received).toEqual([]);
    },
  );

  test('a login stays with that answer, and the next one finds the other host', async () => {
    const [first, second] = [await failing(502), await answering('second')];
    const transport = createTransport([first.url, second.url]);

    const answer = await transport(login);

    expect(answer).toMatchObject({ statusCode: 502 });
    expect(answer).not.toHaveProperty('otherAttempts');
    expect(second.received).toEqual([]);
    expect((await transport(login)).body.toString()).toBe('second');
    expect(first.received).toHaveLength(1);
  });

  test.each<[string, () => Promise<string>]>([
    ['cannot be connected to', () => refusingUrl()],
    ['breaks the connection', async () => (await dropping()).url],
  ])('and the next host %s, that answer is all there is', async (_, next) => {
    const first = await failing(502);

    const answer = await createTransport([first.url, await next()])(order);

    expect(answer).toMatchObject({ statusCode: 502, otherAttempts: { count: 1 } });
  });

  test('nor on any host, the last of them counts', async () => {
    const [first, second] = [await failing(502), await failing(503)];

    expect(await createTransport([first.url, second.url])(order)).toMatchObject({
      statusCode: 503,
      otherAttempts: { count: 1, maybeDelivered: true },
    });
  });
});

describe('what else was tried', () => {
  test('is said of an answer that the second host gave, with whether WeChat may have heard it', async () => {
    const backup = await answering();
    const dropped = await dropping();

    expect((await createTransport([await refusingUrl(), backup.url])(order)).otherAttempts).toEqual(
      { count: 1, maybeDelivered: false },
    );
    expect((await createTransport([dropped.url, backup.url])(order)).otherAttempts).toEqual({
      count: 1,
      maybeDelivered: true,
    });
  });

  test('is said of a failure', async () => {
    const failure = await failureOf(
      createTransport([(await dropping()).url, await refusingUrl()])(order),
    );

    expect(failure).toMatchObject({ outcome: 'unknown', attempts: 2 });
  });
});

describe('when the other side gives up a kept-alive connection', () => {
  /** Answers the first request of a connection, reads the second and resets the connection. */
  const forgetful = (reads = Number.POSITIVE_INFINITY) =>
    started(
      serve((response, request, received) => {
        const before = received.filter(({ connection }) => connection === request.connection);
        if (before.length === 1 && received.length <= reads) {
          response.end('hello');
        } else {
          response.socket?.resetAndDestroy();
        }
      }),
    );

  test('an order goes out once more, on a new one, and WeChat may have it twice', async () => {
    const server = await forgetful();
    const transport = createTransport([server.url]);
    await transport(order);

    const answer = await transport(order);

    expect(answer.body.toString()).toBe('hello');
    expect(answer.otherAttempts).toEqual({ count: 1, maybeDelivered: true });
    expect(server.received.map(({ connection }) => connection)).toEqual([1, 1, 2]);
  });

  test('and the new one as well, an order is not sent a third time', async () => {
    const server = await forgetful(1);
    const transport = createTransport([server.url]);
    await transport(order);

    expect(await failureOf(transport(order))).toMatchObject({ outcome: 'unknown', attempts: 2 });
    expect(server.received).toHaveLength(3);
  });

  test('and listens no more, the outcome of an order is unknown, for it may have been read', async () => {
    const server = await serve((response, _, received) => {
      if (received.length === 1) {
        response.end();
        return;
      }
      void server.stop();
    });
    const transport = createTransport([server.url]);
    await transport(order);

    expect(await failureOf(transport(order))).toMatchObject({
      outcome: 'unknown',
      attempts: 2,
      cause: { outcome: 'not-sent' },
    });
    expect(server.received).toHaveLength(2);
  });

  test('a login is never on it: what a server has read is not sent again', async () => {
    const server = await forgetful(3);
    const transport = createTransport([server.url]);
    await transport(order);
    await transport(login);
    await transport(order).catch(() => undefined);
    const before = server.received.length;

    const failure = await failureOf(transport(login));

    expect(failure).toMatchObject({ outcome: 'unknown', attempts: 1 });
    expect(server.received).toHaveLength(before + 1);
  });
});

test('a login reaches servers at most once, whatever they do and how often it fails over', async () => {
  const breaking: Record<string, (response: ServerResponse) => void> = {
    resets: (response) => response.socket?.resetAndDestroy(),
    closes: (response) => response.destroy(),
    'says 502': (response) => response.writeHead(502).end('<html></html>'),
    'breaks off': (response) => {
      response.writeHead(200, { 'content-length': '9' }).write('{');
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    },
    'is no HTTP': (response) => response.socket?.end('SSH-2.0-OpenSSH\r\n\r\n'),
    'is too long': (response) => response.end('x'.repeat(70_000)),
    'is silent': () => undefined,
  };
  for (const [name, answer] of Object.entries(breaking)) {
    let healthy = true;
    const server = () =>
      started(serve((response) => (healthy ? response.end('{}') : answer(response))));
    const [first, second] = [await server(), await server()];
    const transport = createTransport([await refusingUrl(), first.url, second.url]);
    // Leaves a kept-alive connection, which the login must not use.
    await transport(order);
    healthy = false;
    const before = first.received.length + second.received.length;

    await transport({ ...login, timeoutMs: 400 }).catch(() => undefined);

    expect([name, first.received.length + second.received.length - before]).toEqual([name, 1]);
  }
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
