import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ConfigError, WechatPayTransportError } from '../../../lib/errors.ts';
import { memoryFile, textOf } from '../../support/bill-files.ts';
import { APPID, CREATED_AT, MCHID } from '../../support/sample-orders.ts';
import { type SentV3, type V3Answer, v3Double } from '../../support/v3-double.ts';

const BILL = { appid: APPID, mchid: MCHID, date: '2026-11-24' };
const CSV = '交易时间,公众账号ID\r\n`2026-11-24 10:00:00,`wx\r\n';
const SHA1 = createHash('sha1').update(CSV).digest('hex');
const URL_OF_FILE = 'https://api.mch.weixin.qq.com/v3/billdownload/file?token=a%2Bb&tartype=gzip';

const link = (changes: object = {}): V3Answer => ({
  json: { hash_type: 'SHA1', hash_value: SHA1, download_url: URL_OF_FILE, ...changes },
});

const isFile = ({ path }: SentV3) => path.startsWith('/v3/billdownload/');

const refusal = (status: number, code: string, message = code): V3Answer => ({
  status,
  json: { code, message },
});

async function download(
  files: readonly (V3Answer | Error)[],
  question: V3Answer | Error = link(),
  changes: object = {},
) {
  const left = [...files];
  const nextFile = () => {
    const [file] = left.length > 1 ? left.splice(0, 1) : left;
    return file ?? {};
  };
  const { bills, requests } = v3Double((sent) => (isFile(sent) ? nextFile() : question));
  const file = memoryFile();
  const result = await bills.downloadTradeBill({ ...BILL, ...changes }, file, {
    timeoutMs: 240_000,
  });
  return { result, requests, file };
}

describe('a trade bill of API v3', () => {
  test('is asked for by its day, and fetched by a link whose whole query is signed', async () => {
    const { requests } = await download([{ file: gzipSync(CSV) }]);

    expect(requests.map(({ method, path }) => [method, path])).toEqual([
      ['GET', '/v3/bill/tradebill?bill_date=2026-11-24&bill_type=ALL&tar_type=GZIP'],
      ['GET', '/v3/billdownload/file?token=a%2Bb&tartype=gzip'],
    ]);
    expect(requests.map(({ headers }) => headers['accept'])).toEqual(['application/json', '*/*']);
  });

  test('of a provider can be of one sub-merchant', async () => {
    const { requests } = await download([{ file: Buffer.from(CSV) }], link(), {
      subMchid: '1900000222',
    });

    expect(requests[0]?.path).toContain('&sub_mchid=1900000222');
  });

  test.each([
    ['compressed', gzipSync(CSV)],
    ['as plain text', Buffer.from(CSV)],
  ])('that comes %s is downloaded once its SHA-1 holds', async (_, file) => {
    const { result } = await download([{ file }], link({ hash_value: SHA1.toUpperCase() }));

    expect(result).toMatchObject({ kind: 'downloaded', sha1: SHA1 });
    expect((await textOf(result)).toString()).toBe(CSV);
  });

  test.each([
    ['altered', gzipSync(CSV.replace('10:00:00', '10:00:01')), /SHA-1/],
    ['truncated as text', Buffer.from(CSV.slice(0, -3)), /SHA-1/],
    ['truncated', gzipSync(CSV).subarray(0, 40), /decompressed/],
  ])('whose file was %s is not ready', async (_, file, reason) => {
    const { result } = await download([{ file }]);

    expect(result).toEqual({ kind: 'not-ready', reason: expect.stringMatching(reason) });
  });

  test.each([
    ['NO_STATEMENT_EXIST', { kind: 'empty' }],
    ['STATEMENT_CREATING', { kind: 'not-ready', reason: 'STATEMENT_CREATING' }],
  ])('that WeChat refuses with %s is %j', async (code, result) => {
    expect((await download([], refusal(400, code))).result).toEqual(result);
  });

  test('is fetched by a new link when the first has ended', async () => {
    const ended = refusal(400, 'INVALID_REQUEST', '下载链接过期');
    const { result, requests } = await download([ended, { file: gzipSync(CSV) }]);

    expect(result.kind).toBe('downloaded');
    expect(requests).toHaveLength(4);
  });

  test('whose links all have ended is not ready', async () => {
    const { result, requests } = await download([refusal(400, 'INVALID_REQUEST', '下载链接过期')]);

    expect(result).toEqual({
      kind: 'not-ready',
      reason: expect.stringContaining('INVALID_REQUEST: 下载链接过期'),
    });
    expect(requests).toHaveLength(4);
  });

  test.each([
    ['with the question', refusal(500, 'SYSTEM_ERROR'), { file: Buffer.from(CSV) }],
    ['with the question, too often', refusal(429, 'RATELIMIT_EXCEEDED'), {}],
  ])('that WeChat is too busy for, %s, is not ready', async (_, question, file) => {
    expect((await download([file], question)).result).toMatchObject({ kind: 'not-ready' });
  });

  test.each([
    ['busy', refusal(500, 'SYSTEM_ERROR')],
    ['no JSON', { status: 404, text: '<html>' }],
    ['no connection', new WechatPayTransportError('unknown', 'no answer in time')],
  ])('whose file is answered with %s fails as the connection does', async (_, answer) => {
    await expect(download([answer])).rejects.toThrow(WechatPayTransportError);
  });

  test('whose file is refused for our signature is the owner’s to mend', async () => {
    await expect(download([refusal(401, 'SIGN_ERROR')])).rejects.toThrow(ConfigError);
  });

  test('that the merchant may not have is the owner’s to mend', async () => {
    await expect(download([], refusal(403, 'NO_AUTH'))).rejects.toThrow(ConfigError);
  });

  test('that is refused for anything else is an error with WeChat’s code', async () => {
    await expect(download([], refusal(400, 'PARAM_ERROR'))).rejects.toMatchObject({
      wechatCode: 'PARAM_ERROR',
      retryable: false,
    });
  });

  test.each([
    ['a link elsewhere', { download_url: 'https://api.mch.weixin.qq.com/v3/certificates' }],
    ['no link', { download_url: 'file' }],
    ['another digest', { hash_type: 'MD5' }],
    ['no digest', { hash_value: 'x' }],
  ])('with %s is malformed, and nothing is fetched', async (_, changes) => {
    const { bills, requests } = v3Double(link(changes));

    await expect(
      bills.downloadTradeBill(BILL, memoryFile(), { timeoutMs: 1_000 }),
    ).rejects.toMatchObject({ code: 'MALFORMED_MESSAGE' });
    expect(requests).toHaveLength(1);
  });

  test('whose link names another host is fetched where every call goes', async () => {
    const { requests } = await download(
      [{ file: Buffer.from(CSV) }],
      link({ download_url: 'https://elsewhere.example/v3/billdownload/file?token=t' }),
    );

    expect(requests[1]?.path).toBe('/v3/billdownload/file?token=t');
  });

  test('of another merchant is not asked for', async () => {
    await expect(download([], link(), { mchid: '1900000999' })).rejects.toThrow(ConfigError);
  });

  test('has its time as a whole, of which the questions have some seconds', async () => {
    let nowMs = CREATED_AT * 1000;
    const timeouts: number[] = [];
    const { bills } = v3Double(
      (sent) => {
        timeouts.push(sent.timeoutMs);
        nowMs += 4_000;
        return isFile(sent) ? refusal(400, 'INVALID_REQUEST') : link();
      },
      { nowMs: () => nowMs },
    );
    await bills.downloadTradeBill(BILL, memoryFile(), { timeoutMs: 15_000 });

    expect(timeouts).toEqual([10_000, 11_000, 7_000, 3_000]);
  });
});
