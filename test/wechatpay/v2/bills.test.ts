import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ConfigError, WechatPayTransportError } from '../../../lib/errors.ts';
import type { MerchantSecret } from '../../../lib/secrets/merchant.ts';
import type { WechatRequest, WechatResponse } from '../../../lib/transport/transport.ts';
import { openBills } from '../../../lib/wechatpay/v2/bills.ts';
import { memoryFile, saved, textOf } from '../../support/bill-files.ts';
import { neverRuns } from '../../support/no-timer.ts';
import { APPID, CREATED_AT, MCHID } from '../../support/sample-orders.ts';
import { merchantWith, secretVersions } from '../../support/secret-versions.ts';
import { API_V2_KEY, signed, type WireFields, xmlOf } from '../../support/v2-message.ts';
import { readIndependently } from '../../support/v2-reader.ts';

type Answering = (
  fields: WireFields,
  request: WechatRequest,
) => Buffer | string | WechatResponse | Error;

/** @param versions of the merchant's secret, the newest first; the second is what is read first. */
function billsOf(answering: Answering, secrets = secretVersions(merchantWith())) {
  const sent: { path: string; fields: WireFields; request: WechatRequest }[] = [];
  const bills = openBills({
    transport: async (request) => {
      const fields = Object.fromEntries(readIndependently(request.body ?? '') ?? []);
      sent.push({ path: request.path, fields, request });
      const answer = answering(fields, request);
      if (answer instanceof Error) {
        throw answer;
      }
      return typeof answer === 'string' || Buffer.isBuffer(answer)
        ? saved(request, Buffer.from(answer))
        : answer;
    },
    merchant: secrets,
    signType: 'HMAC-SHA256',
    nonce: () => 'n',
    nowMs: () => CREATED_AT * 1000,
    startTimer: neverRuns,
  });
  return { bills, sent };
}

const BILL = { appid: APPID, mchid: MCHID, date: '2026-11-24' };
const CSV = '\ufeff交易时间,公众账号ID\r\n`2026-11-24 10:00:00,`wx\r\n';
const SHA1 = createHash('sha1').update(CSV).digest('hex');

const refusal = (return_msg: string, error_code?: string) =>
  xmlOf({ return_code: 'FAIL', return_msg, ...(error_code && { error_code }) });

async function download(answering: Answering, changes: object = {}) {
  const { bills, sent } = billsOf(answering);
  const file = memoryFile();
  const result = await bills.downloadTradeBill({ ...BILL, ...changes }, file, {
    timeoutMs: 240_000,
  });
  return { result, sent, file };
}

describe('a trade bill of API v2', () => {
  test('is asked for with signed fields, compressed, by its day', async () => {
    const { sent } = await download(() => gzipSync(CSV));

    const { sign, ...fields } = sent[0]?.fields ?? {};
    expect(sent.map(({ path }) => path)).toEqual(['/pay/downloadbill']);
    expect(fields).toEqual({
      appid: APPID,
      mch_id: MCHID,
      bill_date: '20261124',
      bill_type: 'ALL',
      tar_type: 'GZIP',
      sign_type: 'HMAC-SHA256',
      nonce_str: 'n',
    });
    expect(sign).toBe(signed(fields, API_V2_KEY, 'HMAC-SHA256')['sign']);
    expect(sent[0]?.request).toMatchObject({ repeatable: true, timeoutMs: 240_000 });
  });

  test('of a provider is of one sub-merchant, or of all, under the provider’s appid', async () => {
    const provider = { spAppid: 'wxprovider' };
    const one = await download(() => CSV, { ...provider, subMchid: '1900000222' });
    const all = await download(() => CSV, provider);

    expect(one.sent[0]?.fields).toMatchObject({
      appid: 'wxprovider',
      sub_appid: APPID,
      sub_mch_id: '1900000222',
    });
    expect(all.sent[0]?.fields).not.toHaveProperty('sub_mch_id');
  });

  test.each([
    ['compressed', gzipSync(CSV)],
    ['as plain text, though it was to be compressed', Buffer.from(CSV)],
  ])('that comes %s is downloaded, with the SHA-1 of its text', async (_, bytes) => {
    const { result, file } = await download(() => bytes);

    expect(result).toMatchObject({ kind: 'downloaded', sha1: SHA1 });
    expect(file.bytes().equals(bytes)).toBe(true);
    expect((await textOf(result)).toString()).toBe(CSV);
  });

  test.each(['No Bill Exist', 'NO Bill Exist', 'no bill exist'])(
    'that WeChat refuses with %s is empty',
    async (said) => {
      expect((await download(() => refusal(said, '20002'))).result).toEqual({ kind: 'empty' });
    },
  );

  test('that is being made is not ready', async () => {
    const { result } = await download(() => refusal('Bill Creating', '20002'));

    expect(result).toEqual({ kind: 'not-ready', reason: 'Bill Creating' });
  });

  test.each([
    ['System Error', '100'],
    ['SYSTEMERROR', undefined],
  ])('that WeChat refuses with %s is not ready, and why is said', async (said, code) => {
    const { result } = await download(() => refusal(said, code));

    expect(result).toMatchObject({ kind: 'not-ready' });
    expect(result.kind === 'not-ready' && result.reason).toContain(said);
  });

  test('that WeChat cannot compress is asked for as plain text', async () => {
    const { result, sent } = await download(({ tar_type }) =>
      tar_type === 'GZIP' ? refusal('CompressGZip Error', '20003') : CSV,
    );

    expect(result).toMatchObject({ kind: 'downloaded', sha1: SHA1 });
    expect(sent.map(({ fields }) => fields['tar_type'])).toEqual(['GZIP', undefined]);
  });

  test('that cannot be compressed whatever it is asked for is not ready', async () => {
    const { result, sent } = await download(() => refusal('UnCompressGZip Error'));

    expect(result).toEqual({ kind: 'not-ready', reason: 'CompressGZip Error' });
    expect(sent).toHaveLength(2);
  });

  test.each([
    ['truncated', gzipSync(Buffer.alloc(50_000, CSV)).subarray(0, 100)],
    ['altered', Buffer.from(gzipSync(CSV).map((byte, at) => (at === 30 ? byte ^ 0xff : byte)))],
  ])('whose compressed file is %s is not ready', async (_, bytes) => {
    expect((await download(() => bytes)).result).toEqual({
      kind: 'not-ready',
      reason: 'the file is damaged: it cannot be decompressed',
    });
  });

  test('whose file cannot be read fails as what it is', async () => {
    const { bills } = billsOf(() => CSV);
    const file = memoryFile();
    const openToRead = () => {
      throw new Error('EIO');
    };

    await expect(
      bills.downloadTradeBill(BILL, { ...file, openToRead }, { timeoutMs: 1_000 }),
    ).rejects.toThrow('EIO');
  });

  test('that is refused for its signature is the owner’s to mend', async () => {
    await expect(download(() => refusal('sign error', '20001'))).rejects.toThrow(ConfigError);
  });

  test('that is refused for its signature is asked for again with a newer key', async () => {
    let current: MerchantSecret = merchantWith();
    const newer = merchantWith('n'.repeat(32));
    const secrets = {
      offered: () => 0,
      current: async () => current,
      async *candidates() {
        current = newer;
        yield newer;
      },
    };
    const { bills, sent } = billsOf(
      (fields) =>
        fields['sign'] === signed({ ...fields, sign: '' }, 'n'.repeat(32), 'HMAC-SHA256')['sign']
          ? CSV
          : refusal('签名错误'),
      secrets,
    );

    const result = await bills.downloadTradeBill(BILL, memoryFile(), { timeoutMs: 1_000 });

    expect(result.kind).toBe('downloaded');
    expect(sent).toHaveLength(2);
  });

  test.each([
    ['invalid bill_type', '20001', 'WeChat Pay answered 20001: invalid bill_type'],
    ['data format error', '20001', 'WeChat Pay answered 20001: data format error'],
    ['', undefined, 'WeChat Pay answered return_code FAIL: '],
  ])('that is refused with “%s”, which nobody signed, is not ready', async (said, code, reason) => {
    expect((await download(() => refusal(said, code))).result).toEqual({
      kind: 'not-ready',
      reason,
    });
  });

  test('that is an empty answer, or XML of no kind, is malformed', async () => {
    await expect(download(() => '')).rejects.toMatchObject({ code: 'MALFORMED_MESSAGE' });
    await expect(download(() => '<xml>no')).rejects.toMatchObject({ code: 'MALFORMED_MESSAGE' });
  });

  test('that is refused without a word is not ready', async () => {
    const { result } = await download(() => xmlOf({ return_code: 'FAIL' }));

    expect(result).toEqual({
      kind: 'not-ready',
      reason: 'WeChat Pay answered return_code FAIL: ',
    });
  });

  test('that is refused for what can never be taken is an error', async () => {
    await expect(download(() => refusal('缺少参数', '20001'))).rejects.toMatchObject({
      wechatCode: '20001',
      retryable: false,
    });
  });

  test('with another status is no bill', async () => {
    const answer = { statusCode: 502, headers: {}, body: Buffer.from(CSV) };

    await expect(download(() => answer)).rejects.toThrow(WechatPayTransportError);
  });

  test('of another merchant is not asked for', async () => {
    await expect(download(() => CSV, { mchid: '1900000999' })).rejects.toThrow(ConfigError);
  });
});
