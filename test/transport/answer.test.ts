import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AnswerFile } from '../../lib/transport/answer.ts';
import { openHost } from '../../lib/transport/host.ts';
import { createTransport, type WechatRequest } from '../../lib/transport/transport.ts';
import { serve } from '../support/scripted-server.ts';
import { failureOf, started, useServers } from '../support/wechat-hosts.ts';

useServers();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'answer-'));
});
afterEach(() => rm(folder, { recursive: true }));

const path = () => join(folder, 'answer');

const file = (changes: Partial<AnswerFile> = {}): AnswerFile => ({
  openToWrite: () => createWriteStream(path()),
  maxBytes: 10_000_000,
  maxSilenceMs: 5_000,
  ...changes,
});

const saving = (saveTo: AnswerFile, changes: Partial<WechatRequest> = {}): WechatRequest => ({
  method: 'GET',
  path: '/v3/billdownload/file?token=t',
  timeoutMs: 10_000,
  repeatable: true,
  saveTo,
  ...changes,
});

const transportTo = (...urls: readonly string[]) =>
  createTransport(urls, { openHost, monotonicMs: () => performance.now() });

/** Three bytes short of what was promised, so that the other side sees it. */
const broken = () =>
  started(
    serve((response) => {
      response.writeHead(200, { 'content-length': '1000003' });
      response.write(Buffer.alloc(1_000_000, 'o'), () => response.destroy());
    }),
  );

describe('an answer that is saved', () => {
  test('is in the file byte by byte, and its beginning in memory', async () => {
    const sent = Buffer.alloc(3_000_000, 'bill\n');
    const server = await started(serve((response) => response.end(sent)));

    const answer = await transportTo(server.url)(saving(file(), { maxResponseBytes: 7 }));

    expect(answer).toMatchObject({ statusCode: 200, savedBytes: 3_000_000 });
    expect(answer.body.toString()).toBe('bill\nbi');
    expect((await readFile(path())).equals(sent)).toBe(true);
  });

  test('of no bytes is an empty file', async () => {
    const server = await started(serve((response) => response.end()));

    const answer = await transportTo(server.url)(saving(file()));

    expect(answer).toMatchObject({ savedBytes: 0, body: Buffer.alloc(0) });
    expect(await readFile(path())).toHaveLength(0);
  });

  test('goes past memory at the file’s pace', async () => {
    let sentAll = false;
    const server = await started(
      serve((response) => {
        response.on('finish', () => {
          sentAll = true;
        });
        response.end(Buffer.alloc(60_000_000));
      }),
    );
    let seen = 0;
    let goOn: (() => void) | undefined;
    let isOpen = false;
    const slow = () =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          seen += chunk.length;
          if (isOpen) {
            done();
          } else {
            goOn = done;
          }
        },
      });
    const answering = transportTo(server.url)(
      saving(file({ openToWrite: slow, maxBytes: 100_000_000 })),
    );
    await expect.poll(() => seen).toBeGreaterThan(0);
    expect(sentAll).toBe(false);
    isOpen = true;
    goOn?.();

    expect((await answering).savedBytes).toBe(60_000_000);
    expect(seen).toBe(60_000_000);
  });

  test('and is none, because the status is another, is in memory and no file is opened', async () => {
    const server = await started(
      serve((response) => response.writeHead(400).end('{"code":"INVALID_REQUEST"}')),
    );
    const openToWrite = (): never => {
      throw new Error('a file was opened');
    };

    const answer = await transportTo(server.url)(saving(file({ openToWrite })));

    expect(answer).toMatchObject({ statusCode: 400 });
    expect(answer).not.toHaveProperty('savedBytes');
    expect(answer.body.toString()).toBe('{"code":"INVALID_REQUEST"}');
  });

  test('and breaks off is taken from the next host, whose file has nothing of it', async () => {
    const [first, second] = [
      await broken(),
      await started(serve((response) => response.end('whole'))),
    ];

    const answer = await transportTo(first.url, second.url)(saving(file()));

    expect(answer).toMatchObject({ savedBytes: 5, otherAttempts: { count: 1 } });
    expect(await readFile(path(), 'utf8')).toBe('whole');
  });

  test.each([
    ['breaks off', broken, {}, 'the answer broke off'],
    [
      'is longer than it may be',
      () => started(serve((response) => response.end(Buffer.alloc(1_001)))),
      { maxBytes: 1_000 },
      'the answer is too large',
    ],
    [
      'falls silent',
      () => started(serve((response) => response.writeHead(200).write('begin'))),
      { maxSilenceMs: 60 },
      'the answer fell silent',
    ],
  ])('and %s fails, and nobody writes to its file any more', async (_, start, changes, reason) => {
    const server = await start();
    const opened: Writable[] = [];
    const openToWrite = () => {
      const writable = createWriteStream(path());
      opened.push(writable);
      return writable;
    };

    const failure = await failureOf(
      transportTo(server.url)(saving(file({ ...changes, openToWrite }))),
    );

    expect(failure).toMatchObject({ outcome: 'unknown' });
    expect(failure.message).toContain(reason);
    expect(opened.map(({ closed }) => closed)).toEqual([true]);
  });

  test('and goes on and on ends with its time', async () => {
    const server = await started(
      serve((response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'), 5);
        response.on('close', () => clearInterval(timer));
      }),
    );

    const failure = await failureOf(transportTo(server.url)(saving(file(), { timeoutMs: 300 })));

    expect(failure.message).toContain('no answer in time');
  });

  test('and cannot be written fails as what it is, at the first host', async () => {
    const [first, second] = [
      await started(serve((response) => response.end(Buffer.alloc(1_000_000)))),
      await started(serve((response) => response.end('x'))),
    ];
    const openToWrite = () =>
      new Writable({ write: (_chunk, _encoding, done) => done(new Error('ENOSPC')) });

    await expect(
      transportTo(first.url, second.url)(saving(file({ openToWrite }))),
    ).rejects.toMatchObject({
      message: 'the answer could not be written to its file',
      cause: { message: 'ENOSPC' },
    });
    expect(second.received).toEqual([]);
  });

  test('can be read at once', async () => {
    const server = await started(serve((response) => response.end('now')));
    await transportTo(server.url)(saving(file()));
    const reading = createReadStream(path());
    const [first] = await once(reading, 'data');

    expect(String(first)).toBe('now');
  });
});
