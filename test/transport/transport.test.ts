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
