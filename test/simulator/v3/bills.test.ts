/** `GET /v3/bill/tradebill` and the file behind its link. */
import { createHash, verify } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBillShop, pathOf, rowsOf, type Shop } from '../bill-support.ts';

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

let shop: Shop;
beforeEach(async () => {
  shop = await openBillShop();
  await shop.pay('coffee-1');
  await shop.refund('coffee-1', 'refund-1', 800);
  shop.at('2026-11-25T10:00:00+08:00');
});
afterEach(async () => shop.stop());

const ask = async (query: string) => shop.v3(`/v3/bill/tradebill?${query}`);

const refusalOf = async (query: string) => {
  const { status, text } = await ask(query);
  return { status, ...(JSON.parse(text) as { code: string; message: string }) };
};

describe('the question', () => {
  test('is answered with a signed link and the SHA-1 of the text', async () => {
    const { question, file } = await shop.billV3();
    const { headers, text } = await ask('bill_date=2026-11-24');
    const signed = `${headers['Wechatpay-Timestamp']}\n${headers['Wechatpay-Nonce']}\n${text}\n`;

    expect(question).toEqual({
      download_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1\/v3\/billdownload\/file\?token=/),
      hash_type: 'SHA1',
      hash_value: sha1(file.bytes),
    });
    expect(
      verify(
        'sha256',
        Buffer.from(signed),
        shop.wechatpayKey,
        Buffer.from(String(headers['Wechatpay-Signature']), 'base64'),
      ),
    ).toBe(true);
  });

  test('for a compressed file has the SHA-1 of what is in it', async () => {
    const { question, file } = await shop.billV3('bill_date=2026-11-24&tar_type=GZIP');

    expect(String(question['download_url'])).toMatch(/&tartype=gzip$/);
    expect(sha1(gunzipSync(file.bytes))).toBe(question['hash_value']);
  });

  test('for one kind is about that kind', async () => {
    const { file } = await shop.billV3('bill_date=2026-11-24&bill_type=REFUND');

    expect(rowsOf(file.bytes)).toMatchObject([{ 商户退款单号: 'refund-1', 申请退款金额: '8.00' }]);
  });

  test.each([
    ['', 400, 'PARAM_ERROR'],
    ['bill_date=20261124', 400, 'PARAM_ERROR'],
    ['bill_date=2026-11-31', 400, 'PARAM_ERROR'],
    ['bill_date=2026-11-24&bill_type=SOME', 400, 'PARAM_ERROR'],
    ['bill_date=2026-11-24&tar_type=ZIP', 400, 'PARAM_ERROR'],
    ['bill_date=2026-11-24&sub_mchid=1900000222', 403, 'NO_AUTH'],
    ['bill_date=2026-11-25', 400, 'INVALID_REQUEST'],
    ['bill_date=2026-08-24', 400, 'INVALID_REQUEST'],
    ['bill_date=2026-11-23', 400, 'NO_STATEMENT_EXIST'],
  ])('with %j is refused: %i %s', async (query, status, code) => {
    expect(await refusalOf(query)).toMatchObject({ status, code });
  });

  test('is too early until ten o’clock of the next day', async () => {
    await shop.stop();
    shop = await openBillShop();
    await shop.pay('coffee-1');
    shop.at('2026-11-25T09:59:59+08:00');
    const early = await refusalOf('bill_date=2026-11-24');
    shop.at('2026-11-25T10:00:00+08:00');

    expect(early).toMatchObject({ status: 400, code: 'STATEMENT_CREATING' });
    expect((await ask('bill_date=2026-11-24')).status).toBe(200);
  });

  test('of a provider can be about one sub-merchant', async () => {
    await shop.stop();
    shop = await openBillShop([{ subMchid: '1900000221' }, { subMchid: '1900000222' }]);
    await shop.pay('of-first');
    await shop.pay('of-second', 100, { sub_mch_id: '1900000222' });
    shop.at('2026-11-25T10:00:00+08:00');
    const all = await shop.billV3();
    const { file } = await shop.billV3('bill_date=2026-11-24&sub_mchid=1900000222');

    expect(rowsOf(all.file.bytes)).toHaveLength(2);
    expect(rowsOf(file.bytes)).toMatchObject([{ 特约商户号: '1900000222' }]);
  });
});

describe('the file', () => {
  test('comes without a signature', async () => {
    const { file } = await shop.billV3();

    expect(file.status).toBe(200);
    expect(Object.keys(file.headers)).toEqual(['Content-Type']);
  });

  test('is the same, byte for byte, as the one of v2', async () => {
    expect((await shop.billV3()).file.bytes).toEqual((await shop.billV2()).bytes);
  });

  test('is given for a signature over all of the query only', async () => {
    const { question } = await shop.billV3('bill_date=2026-11-24&tar_type=GZIP');
    const signed = pathOf(question['download_url']);
    const { status, text } = await shop.v3(signed, { url: signed.replace('&tartype=gzip', '') });

    expect(status).toBe(401);
    expect(text).toContain('"SIGN_ERROR"');
  });

  test('can be had again for five minutes, then the link has ended', async () => {
    const { question, file } = await shop.billV3();
    const path = pathOf(question['download_url']);
    shop.at('2026-11-25T10:04:59+08:00');
    const again = await shop.v3(path);
    shop.at('2026-11-25T10:05:00+08:00');
    const late = await shop.v3(path);

    expect(again.bytes).toEqual(file.bytes);
    expect(late.status).toBe(400);
    expect(JSON.parse(late.text)).toMatchObject({
      code: 'INVALID_REQUEST',
      message: '下载链接过期',
    });
    expect(late.headers).toHaveProperty('Wechatpay-Signature');
  });

  test.each(['/v3/billdownload/file?token=made-up', '/v3/billdownload/file'])(
    'is not behind %s',
    async (path) => {
      expect((await shop.v3(path)).status).toBe(400);
    },
  );

  test('stays what the hash was taken of, whatever is planted in between', async () => {
    const { question } = await shop.billV3();
    await shop.control('POST', '/bill', {
      date: '2026-11-24',
      alter: [{ outTradeNo: 'coffee-1', remove: true }],
    });
    const file = await shop.v3(pathOf(question['download_url']));

    expect(sha1(file.bytes)).toBe(question['hash_value']);
  });

  test('takes little of the message log', async () => {
    await shop.control('POST', '/bill', {
      date: '2026-11-24',
      alter: [{ outTradeNo: 'coffee-1', repeat: 100 }],
    });
    const { question } = await shop.billV3();
    const { body } = await shop.control('GET', '/messages');
    const message = (body['messages'] as Record<string, Record<string, unknown>>[]).at(-1);

    expect(message).toMatchObject({
      kind: 'billdownload',
      path: pathOf(question['download_url']),
      signature: { result: 'valid' },
      note: expect.stringContaining(String(question['hash_value'])),
    });
    expect(String(message?.['response']?.['body']).length).toBeLessThan(2000);
  });
});

describe('a fault', () => {
  const plan = async (fault: object) => shop.control('POST', '/faults', { times: 1, ...fault });

  test.each([
    ['20002', 400, 'NO_STATEMENT_EXIST'],
    ['Bill Creating', 400, 'STATEMENT_CREATING'],
    ['STATEMENT_CREATING', 400, 'STATEMENT_CREATING'],
    ['SYSTEMERROR', 500, 'SYSTEM_ERROR'],
    ['FREQUENCY_LIMITED', 429, 'FREQUENCY_LIMITED'],
    ['NOAUTH', 403, 'NO_AUTH'],
  ])('of the question with the code %s is %i %s', async (code, status, name) => {
    await plan({ point: 'downloadbill', kind: 'error', code });

    expect(await refusalOf('bill_date=2026-11-24')).toMatchObject({ status, code: name });
    expect((await ask('bill_date=2026-11-24')).status).toBe(200);
  });

  test.each(['error', 'html', 'tamper', 'truncated'])(
    '%s of the file leaves the question alone',
    async (kind) => {
      const honest = await shop.billV3();
      await plan({ point: 'billdownload', kind });
      const { question, file } = await shop.billV3();

      expect(question['hash_value']).toBe(honest.question['hash_value']);
      expect(file.bytes).not.toEqual(honest.file.bytes);
      expect(sha1(file.bytes)).not.toBe(question['hash_value']);
    },
  );

  test.each(['timeout-before', 'timeout-after', 'drop'])('%s of the file ends it', async (kind) => {
    await plan({ point: 'billdownload', kind });

    await expect(shop.billV3()).rejects.toThrow(kind === 'drop' ? 'drop' : 'hold');
  });

  test.each([
    ['wrong-amount', '订单金额', () => '28.01'],
    [
      'wrong-merchant',
      '商户号',
      () => shop.mchid.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    ],
  ])('%s leads to a file that its hash belongs to', async (kind, heading, wrong) => {
    const honest = await shop.billV3();
    await plan({ point: 'downloadbill', kind });
    const { question, file } = await shop.billV3();

    expect(question['hash_value']).not.toBe(honest.question['hash_value']);
    expect(question['hash_value']).toBe(sha1(file.bytes));
    expect(rowsOf(file.bytes)[0]?.[heading]).toBe(wrong());
  });

  test.each(['tamper', 'probe'])('%s makes the answer’s signature wrong', async (kind) => {
    await plan({ point: 'downloadbill', kind });
    await ask('bill_date=2026-11-24');
    const { body } = await shop.control('GET', '/messages');

    expect((body['messages'] as object[]).at(-1)).toMatchObject({
      answerSignature: { result: 'invalid' },
    });
  });
});
