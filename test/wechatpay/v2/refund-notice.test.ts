import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseNotification } from '../../../lib/wechatpay/v2/notification.ts';
import { MCHID } from '../../support/sample-orders.ts';
import { said } from '../../support/said.ts';
import { merchantWith, secretVersions } from '../../support/secret-versions.ts';
import { encryptRefund, refundXml } from '../../support/v2-refund.ts';
import { API_V2_KEY, OTHER_KEY } from '../../support/v2-message.ts';

interface Vector {
  readonly id: string;
  readonly api_key: string;
  readonly req_info: string;
  readonly expected_fields?: Readonly<Record<string, string>>;
}

const { req_info: vectors } = JSON.parse(
  readFileSync(new URL('../../vectors/v2.json', import.meta.url), 'utf8'),
) as { req_info: Vector[] };

const read = (xml: string, ...merchants: ReturnType<typeof merchantWith>[]) => {
  const [current = merchantWith(), ...older] = merchants;
  const merchant = secretVersions(current, ...older);
  return said(parseNotification({ merchant, signType: 'HMAC-SHA256' }, { body: Buffer.from(xml) }));
};

describe('a refund notification of v2', () => {
  const complete = vectors.filter(({ expected_fields: fields }) => fields !== undefined);

  test.each(complete)('of another implementation is read: $id', async (vector) => {
    const xml = refundXml({}, { req_info: vector.req_info });
    const fields = vector.expected_fields ?? {};

    expect(await read(xml, merchantWith(vector.api_key))).toEqual({
      kind: 'refund',
      refund: {
        outTradeNo: fields['out_trade_no'],
        transactionId: fields['transaction_id'],
        outRefundNo: fields['out_refund_no'],
        refundId: fields['refund_id'],
        refundFen: Number(fields['refund_fee']),
        status: fields['refund_status'],
        source: fields['refund_request_source'] === 'API' ? 'API' : 'CONSOLE',
      },
    });
  });

  test.each([
    ['SUCCESS', 'SUCCESS'],
    ['REFUNDCLOSE', 'CLOSED'],
    ['CHANGE', 'ABNORMAL'],
    ['PROCESSING', 'PROCESSING'],
  ])('says %s in the words of v3: %s', async (wire, status) => {
    expect(await read(refundXml({ refund_status: wire }))).toMatchObject({ refund: { status } });
  });

  test.each([
    ['API', 'API'],
    ['VENDOR_PLATFORM', 'CONSOLE'],
    ['SOMETHING_NEW', undefined],
  ])('tells who asked for it: %s', async (wire, source) => {
    const sent = await read(refundXml({ refund_request_source: wire }));

    expect(sent).toMatchObject({ kind: 'refund', refund: { status: 'SUCCESS' } });
    expect(sent.kind === 'refund' && sent.refund.source).toBe(source);
  });

  test('proves nothing', async () => {
    expect(await read(refundXml())).not.toHaveProperty('evidence');
  });

  test('is decrypted with the previous key', async () => {
    const sent = await read(refundXml(), merchantWith(OTHER_KEY), merchantWith(API_V2_KEY));

    expect(sent).toMatchObject({ kind: 'refund' });
  });

  test('passes over versions of the secret that have no APIv2 key', async () => {
    const v3Only = { mchid: MCHID };

    expect(await read(refundXml(), v3Only as never, merchantWith())).toMatchObject({
      kind: 'refund',
    });
  });
});

describe('refused is a refund notification', () => {
  test('that no key decrypts', async () => {
    await expect(read(refundXml(), merchantWith(OTHER_KEY))).rejects.toThrow(
      'decrypts with no APIv2 key',
    );
  });

  test('whose blocks were put together anew', async () => {
    const blocks = Buffer.from(encryptRefund(), 'base64');
    const swapped = Buffer.concat([
      blocks.subarray(0, 16),
      blocks.subarray(32, 48),
      blocks.subarray(16, 32),
      blocks.subarray(48),
    ]).toString('base64');

    await expect(read(refundXml({}, { req_info: swapped }))).rejects.toMatchObject({
      code: expect.stringMatching(/SIGNATURE_INVALID|MALFORMED_MESSAGE/),
    });
  });

  test.each(['AAAA', 'not base64', encryptRefund().slice(0, -4), ` ${encryptRefund()}`])(
    'that is not base64 of whole blocks: %j',
    async (info) => {
      await expect(read(refundXml({}, { req_info: info }))).rejects.toThrow('whole AES blocks');
    },
  );

  test('for another merchant', async () => {
    await expect(read(refundXml({}, { mch_id: '1900000222' }))).rejects.toThrow(
      'for another merchant',
    );
  });

  test.each([
    [{ refund_status: 'PERHAPS' }, 'unknown refund_status'],
    [{ refund_fee: '8.00' }, 'whole number of fen'],
    [{ out_trade_no: '' }, 'no out_trade_no'],
  ])('that says %j', async (change, reason) => {
    await expect(read(refundXml(change))).rejects.toThrow(reason);
  });

  test('that is empty', async () => {
    await expect(read(refundXml({}, { req_info: '' }))).rejects.toThrow('no req_info');
  });
});
