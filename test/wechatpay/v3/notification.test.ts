import { createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../lib/errors.ts';
import type { MerchantSecret } from '../../../lib/secrets/merchant.ts';
import { acknowledge, parseNotification } from '../../../lib/wechatpay/v3/notification.ts';
import { CREATED_AT, samplePayment } from '../../support/sample-orders.ts';
import { said } from '../../support/said.ts';
import { secretVersions } from '../../support/secret-versions.ts';
import {
  refund,
  transaction,
  v3Merchant,
  v3Message,
  v3Notification,
  v3Resource,
} from '../../support/v3-message.ts';
import { keyOf, vector } from './vectors.ts';

const wechatKey = createPublicKey(v3Merchant().wechatpayPublicKey ?? '');

const read = (message = v3Notification(), ...versions: MerchantSecret[]) => {
  const [current = v3Merchant(), ...older] = versions;
  const client = {
    merchant: secretVersions(current, ...older),
    nowMs: () => CREATED_AT * 1000,
    findKey: async () => wechatKey,
  };
  return said(parseNotification(client, message));
};

const sampleRefund = {
  outTradeNo: 'order-0001',
  transactionId: '4200000001202603010000000001',
  outRefundNo: 'refund-0001',
  refundId: '50000000382026030100000000001',
  refundFen: 800,
  status: 'SUCCESS',
};

describe('known answers', () => {
  const client = (id: string, mchid: string) => {
    const one = vector(id);
    return {
      merchant: secretVersions(v3Merchant({ mchid, apiV3Key: one.apiv3_key })),
      nowMs: () => one.now_for_clock_check * 1000,
      findKey: async () => createPublicKey(keyOf(one.key).pem_public),
    };
  };
  const messageOf = (id: string) => {
    const { headers, body } = vector(id);
    return { headers, body: Buffer.from(body) };
  };

  test('a payment', async () => {
    const id = 'synthetic-notify-transaction';
    const content = JSON.parse(vector(id).expected_plaintext);

    expect(await said(parseNotification(client(id, content.mchid), messageOf(id)))).toEqual({
      kind: 'payment',
      payment: {
        outTradeNo: content.out_trade_no,
        transactionId: content.transaction_id,
        appid: content.appid,
        mchid: content.mchid,
        openid: content.payer.openid,
        totalFen: content.amount.total,
        currency: 'CNY',
        bankType: content.bank_type,
        paidAtEpochSeconds: Date.parse(content.success_time) / 1000,
      },
    });
  });

  test('a refund with empty associated data', async () => {
    const id = 'synthetic-notify-refund-empty-aad';
    const content = JSON.parse(vector(id).expected_plaintext);

    expect(await parseNotification(client(id, content.mchid), messageOf(id))).toMatchObject({
      kind: 'refund',
      refund: { outTradeNo: content.out_trade_no, outRefundNo: content.out_refund_no },
    });
  });
});

describe('a payment notification', () => {
  test('of a genuine payment gives the payment, by what was ordered and not what was paid', async () => {
    expect(await read()).toEqual({ kind: 'payment', payment: samplePayment() });
  });

  test('is taken with fields that nobody knows yet, and without those that may be missing', async () => {
    const content = transaction({
      new_field: { a: [1] },
      bank_type: '',
      amount: { total: 2800, currency: null },
    });

    expect(await read(v3Notification({ content }))).toEqual({
      kind: 'payment',
      payment: samplePayment({ bankType: undefined }),
    });
  });

  test('of a sub-merchant with the provider’s mini-program names both', async () => {
    const content = transaction({
      appid: undefined,
      mchid: undefined,
      sp_appid: 'wx8888888888888888',
      sp_mchid: '1900000109',
      sub_mchid: '1900000999',
      payer: { sp_openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
    });

    expect(await read(v3Notification({ content }))).toEqual({
      kind: 'payment',
      payment: samplePayment({ subMchid: '1900000999' }),
    });
  });

  test('of a sub-merchant’s own mini-program gives the buyer as that one knows them', async () => {
    const content = transaction({
      appid: undefined,
      mchid: undefined,
      sp_appid: 'wx00000000provider',
      sp_mchid: '1900000109',
      sub_appid: 'wx8888888888888888',
      sub_mchid: '1900000999',
      payer: { sp_openid: 'oProvider', sub_openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
    });

    expect(await read(v3Notification({ content }))).toEqual({
      kind: 'payment',
      payment: samplePayment({ subMchid: '1900000999', spAppid: 'wx00000000provider' }),
    });
  });

  test('is decrypted with the previous key while it is on its way', async () => {
    const next = v3Merchant({ apiV3Key: 'n'.repeat(32) });

    expect(await read(v3Notification(), next, v3Merchant())).toMatchObject({ kind: 'payment' });
  });
});

describe('refused is a payment notification', () => {
  test('whose signature is wrong, before anything is decrypted', async () => {
    const secret = secretVersions(v3Merchant());
    const { headers, body } = v3Notification();
    const parsed = parseNotification(
      { merchant: secret, nowMs: () => CREATED_AT * 1000, findKey: async () => wechatKey },
      { headers, body: Buffer.concat([body, Buffer.from(' ')]) },
    );

    await expect(parsed).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(secret.offered()).toBe(0);
  });

  test('that no key decrypts: a setting is wrong, because WeChat did sign it', async () => {
    await expect(read(v3Notification({ key: 'x'.repeat(32) }))).rejects.toBeInstanceOf(ConfigError);
    await expect(
      read(v3Notification(), v3Merchant({ apiV3Key: undefined })),
    ).rejects.toBeInstanceOf(ConfigError);
  });

  test('for another merchant', async () => {
    const content = transaction({ mchid: '1900000222' });

    await expect(read(v3Notification({ content }))).rejects.toThrow('for another merchant');
  });

  test.each<[string, ReturnType<typeof v3Notification>, string]>([
    ['not JSON', v3Message('SUCCESS'), 'not JSON in UTF-8'],
    ['no event', v3Message('{}'), 'no usable event_type'],
    ['an array', v3Message('[]'), 'no usable event_type'],
    [
      'another algorithm',
      v3Notification({
        envelope: { resource: { ...v3Resource('{}'), algorithm: 'AEAD_SM4_GCM' } },
      }),
      'no usable resource.algorithm',
    ],
    [
      'a nonce of one character',
      v3Notification({ envelope: { resource: { ...v3Resource('{}'), nonce: 'n' } } }),
      'no usable resource.nonce',
    ],
    [
      'a ciphertext without a tag',
      v3Notification({ envelope: { resource: { ...v3Resource('{}'), ciphertext: 'AAAA' } } }),
      'too short or not base64',
    ],
    ['another product', v3Notification({ eventType: 'PAYSCORE.USER_PAID' }), 'another product'],
    [
      'an order that is not paid',
      v3Notification({ content: transaction({ trade_state: 'NOTPAY' }) }),
      'does not report a success',
    ],
    [
      'both kinds of merchant',
      v3Notification({ content: transaction({ sp_mchid: '1900000109' }) }),
      'both mchid and sp_mchid',
    ],
    [
      'no merchant',
      v3Notification({ content: transaction({ mchid: undefined }) }),
      'the order has no mchid',
    ],
    [
      'no sub-merchant',
      v3Notification({ content: transaction({ mchid: undefined, sp_mchid: '1900000109' }) }),
      'the order has no sub_mchid',
    ],
    [
      'no payer',
      v3Notification({ content: transaction({ payer: undefined }) }),
      'the order has no payer.openid',
    ],
    [
      'no amount',
      v3Notification({ content: transaction({ amount: undefined }) }),
      'the order has no amount.total',
    ],
    ...[28.5, '2800', -1, 1e300, true].map(
      (total) =>
        [
          `the amount ${total}`,
          v3Notification({ content: transaction({ amount: { total } }) }),
          'no usable amount.total',
        ] as [string, ReturnType<typeof v3Notification>, string],
    ),
  ])('that has %s', async (_, message, reason) => {
    await expect(read(message)).rejects.toThrow(reason);
  });
});

describe('a refund notification', () => {
  const evidence = {
    mchid: '1900000109',
    outTradeNo: 'order-0001',
    transactionId: '4200000001202603010000000001',
    outRefundNo: 'refund-0001',
    refundId: '50000000382026030100000000001',
    refundFen: 800,
    totalFen: 2800,
    currency: 'CNY',
    succeededAtEpochSeconds: CREATED_AT + 3600,
    userReceivedAccount: '招商银行信用卡0403',
  };

  test.each(['SUCCESS', 'CLOSED'])('that says %s proves it', async (status) => {
    const content = refund({ refund_status: status });

    expect(
      await read(v3Notification({ content, eventType: `REFUND.${status}`, associatedData: '' })),
    ).toEqual({
      kind: 'refund',
      refund: { ...sampleRefund, status },
      evidence: { ...evidence, status },
    });
  });

  test.each(['ABNORMAL', 'PROCESSING'])('that says %s is only a hint', async (status) => {
    const content = refund({ refund_status: status });

    expect(await read(v3Notification({ content, eventType: `REFUND.${status}` }))).toEqual({
      kind: 'refund',
      refund: { ...sampleRefund, status },
    });
  });

  test('that does not say what the order cost is only a hint', async () => {
    const content = refund({ amount: { refund: 800 } });

    expect(await read(v3Notification({ content, eventType: 'REFUND.SUCCESS' }))).toEqual({
      kind: 'refund',
      refund: sampleRefund,
    });
  });

  test('of a provider is his', async () => {
    const content = refund({ mchid: undefined, sp_mchid: '1900000109', sub_mchid: '1900000999' });

    expect(await read(v3Notification({ content, eventType: 'REFUND.SUCCESS' }))).toEqual({
      kind: 'refund',
      refund: sampleRefund,
      evidence: { ...evidence, subMchid: '1900000999', status: 'SUCCESS' },
    });
  });

  test.each([{ mchid: '1900000222' }, { mchid: undefined }])(
    'of another merchant is refused: %j',
    async (change) => {
      const message = v3Notification({ content: refund(change), eventType: 'REFUND.SUCCESS' });

      await expect(read(message)).rejects.toThrow('for another merchant');
    },
  );

  test('in an unknown state is refused', async () => {
    const content = refund({ refund_status: 'PERHAPS' });

    await expect(read(v3Notification({ content, eventType: 'REFUND.SUCCESS' }))).rejects.toThrow(
      'unknown status',
    );
  });
});

describe('the answer to a notification', () => {
  test('says received', () => {
    expect(acknowledge()).toEqual({
      statusCode: 200,
      contentType: 'application/json; charset=utf-8',
      body: '{"code":"SUCCESS","message":"OK"}',
    });
  });

  test('or asks for it again, with a status and a code', () => {
    expect(acknowledge({ statusCode: 401, code: 'SIGNATURE_INVALID' })).toEqual({
      statusCode: 401,
      contentType: 'application/json; charset=utf-8',
      body: '{"code":"FAIL","message":"SIGNATURE_INVALID"}',
    });
  });
});
