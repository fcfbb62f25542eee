/** What every version of WeChat's API must do with refunds, whatever its wire looks like. */
import { describe, expect, test } from 'vitest';
import type { StoredRefund } from '../../lib/wechatpay/refund-results.ts';
import { sampleOrder, sampleRefund, sampleRefundEvidence } from '../support/sample-orders.ts';
import { VERSIONS, type Word } from './wechat-pay.ts';

const options = { timeoutMs: 3_000 };
const newRefund = {
  ...sampleRefund(),
  merchantKey: '',
  reason: '少了一杯',
  fundsAccount: 'AVAILABLE',
  notifyBaseUrl: 'https://pay.example.com',
} as const;

describe.each(VERSIONS)('API $name', ({ name, open }) => {
  const request = open({ kind: 'closed' }).wechatPay.buildRefundRequest(newRefund);
  const stored: StoredRefund = { ...sampleRefund(), refundRequest: request };

  const refunding = async (word: Word) => {
    const { wechatPay, calls } = open(word);
    return { result: await wechatPay.refund(stored, options), calls };
  };
  const refused = (because: Extract<Word, { kind: 'refused' }>['because']) =>
    refunding({ kind: 'refused', because });

  test('builds the same request for the same refund, without a call', () => {
    const { wechatPay, calls } = open({ kind: 'closed' });

    expect(wechatPay.buildRefundRequest(newRefund)).toEqual(request);
    expect(request.apiVersion).toBe(name);
    expect(calls()).toBe(0);
  });

  test.each([
    'refund-0001',
    '4200000001202603010000000001',
    '800',
    '2800',
    '少了一杯',
    `https://pay.example.com/notify/${name}`,
  ])('says %s in it', (part) => {
    expect(JSON.stringify(request)).toContain(part);
  });

  test('refunds: accepted is not yet arrived', async () => {
    const { result, calls } = await refunding({ kind: 'refund', status: 'PROCESSING' });

    expect(result).toMatchObject({ kind: 'accepted', refund: { status: 'PROCESSING' } });
    expect(calls()).toBe(1);
  });

  test.each(['PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL'] as const)(
    'finds a refund that is %s',
    async (status) => {
      const { wechatPay } = open({ kind: 'refund', status });
      const found = await wechatPay.queryRefund(sampleRefund(), options);

      expect(found).toMatchObject({ kind: 'found', refund: sampleRefundEvidence({ status }) });
    },
  );

  test('does not find what WeChat never accepted', async () => {
    const { wechatPay } = open({ kind: 'refused', because: 'unknown-refund' });

    expect(await wechatPay.queryRefund(sampleRefund(), options)).toEqual({ kind: 'not-found' });
  });

  test.each<[Parameters<typeof refused>[0], object]>([
    ['short-balance', { kind: 'waiting', waitingFor: 'BALANCE', mayHaveReached: false }],
    ['permission', { kind: 'waiting', waitingFor: 'CONFIG' }],
    ['user-gone', { kind: 'refused', mayHaveReached: false }],
    ['other-terms', { kind: 'refused', mayHaveReached: false }],
    ['number-taken', { kind: 'refused', mayHaveReached: true }],
    ['unknown-order', { kind: 'unknown', mayHaveReached: false, slower: false }],
    ['too-soon', { kind: 'unknown', mayHaveReached: false, slower: true }],
    ['busy', { kind: 'unknown', mayHaveReached: true, slower: false }],
    ['too-often', { kind: 'unknown', mayHaveReached: true, slower: true }],
  ])('ends a request that is refused (%s) the same way', async (because, expected) => {
    const { result, calls } = await refused(because);

    expect(result).toMatchObject(expected);
    expect(calls()).toBe(1);
  });

  test('believes no answer that somebody else signed', async () => {
    const { wechatPay } = open({ kind: 'forged' });

    expect(await wechatPay.refund(stored, options)).toMatchObject({
      kind: 'unknown',
      failure: { code: 'SIGNATURE_INVALID' },
      mayHaveReached: true,
    });
    await expect(wechatPay.queryRefund(sampleRefund(), options)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });

  test('takes no other amount for the refund that was asked about', async () => {
    const { wechatPay } = open({ kind: 'refund', status: 'SUCCESS', refundFen: 700 });

    expect(await wechatPay.refund(stored, options)).toMatchObject({
      kind: 'unknown',
      mayHaveReached: true,
    });
    await expect(wechatPay.queryRefund(sampleRefund(), options)).rejects.toMatchObject({
      field: 'refundFen',
      expected: 800,
      observed: 700,
    });
  });

  test('takes no refund of the other version or of another merchant, and sends nothing', async () => {
    const { wechatPay, calls } = open({ kind: 'refund', status: 'PROCESSING' });
    const { prepayRequest } = sampleOrder({ apiVersion: name === 'v2' ? 'v3' : 'v2' });
    const mchid = '1900000222';

    await expect(
      wechatPay.refund({ ...stored, refundRequest: prepayRequest }, options),
    ).rejects.toThrow('was handed to API');
    await expect(
      wechatPay.queryRefund({ ...sampleRefund(), mchid }, options),
    ).rejects.toMatchObject({ code: 'CONFIG_ERROR' });
    expect(calls()).toBe(0);
  });

  test('lists the refunds of an order, or says that it cannot', async () => {
    const { wechatPay } = open({ kind: 'refund', status: 'SUCCESS' });

    expect(await wechatPay.listRefunds(sampleRefund(), options)).toMatchObject(
      name === 'v2'
        ? { kind: 'listed', refunds: [{ outRefundNo: 'refund-0001', status: 'SUCCESS' }] }
        : { kind: 'not-offered' },
    );
  });

  test('ends an abnormal refund, or says that it cannot', async () => {
    const { wechatPay } = open({ kind: 'refund', status: 'PROCESSING' });
    const refund = { ...sampleRefund(), refundId: sampleRefundEvidence().refundId };

    expect(
      await wechatPay.endAbnormal(refund, { kind: 'MERCHANT_ACCOUNT' }, options),
    ).toMatchObject({ kind: name === 'v3' ? 'accepted' : 'not-offered' });
  });
});
