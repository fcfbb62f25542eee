/** Our refunds of both API versions against the simulator, v2 over TLS with the merchant's certificate. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bareMachine } from '../../lib/machine.ts';
import { FIRST_MERCHANT } from '../../lib/order/order-id.ts';
import { openWechatPay } from '../../lib/wechatpay/open.ts';
import { type Bench, startBench } from '../simulator/support.ts';
import { secretVersions } from '../support/secret-versions.ts';
import { sampleRefund } from '../support/sample-refunds.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ tlsPort: 0 });
});
afterAll(async () => bench.stop());

const OPTIONS = { timeoutMs: 5000 };

function open(apiVersion: 'v2' | 'v3') {
  const { simulator, merchant } = bench;
  const config = {
    signType: 'HMAC-SHA256',
    wechatPayBaseUrls: [simulator.url, simulator.backupUrl],
    certifiedBaseUrls: [simulator.tls?.url ?? '', simulator.tls?.backupUrl ?? ''],
    certifiedAuthority: simulator.tls?.authority,
  } as const;
  const use = { apiVersion, merchantKey: FIRST_MERCHANT } as const;
  return openWechatPay(config, secretVersions({ ...merchant }), bareMachine)(use);
}

async function payAndRefund(apiVersion: 'v2' | 'v3', outTradeNo: string, refundFen = 800) {
  const { merchant } = bench;
  await bench.placeOrder(outTradeNo);
  await bench.control('POST', `/orders/${outTradeNo}/pay`);
  const { transactionId } = await bench.book(outTradeNo);
  const refund = {
    ...sampleRefund(),
    apiVersion,
    appid: merchant.appid,
    mchid: merchant.mchid,
    outTradeNo,
    outRefundNo: `${outTradeNo}-R1`,
    transactionId: transactionId ?? '',
    refundFen,
    reason: '商品已售完',
    notifyBaseUrl: 'https://shop.example.com',
  };
  const wechatPay = open(apiVersion);
  const stored = { ...refund, refundRequest: wechatPay.buildRefundRequest(refund) };
  return { wechatPay, stored, ask: () => wechatPay.refund(stored, OPTIONS) };
}

describe.each(['v2', 'v3'] as const)('a refund of %s', (apiVersion) => {
  test('is accepted, once, and found with its end', async () => {
    const { wechatPay, stored, ask } = await payAndRefund(apiVersion, `accepted-${apiVersion}`);
    const first = await ask();
    expect(first).toMatchObject({ kind: 'accepted', refund: { status: 'PROCESSING' } });
    expect(await ask()).toEqual(first);
    await bench.control('POST', `/refunds/${stored.outRefundNo}`, { status: 'ABNORMAL' });
    expect(await wechatPay.queryRefund(stored, OPTIONS)).toMatchObject({
      kind: 'found',
      refund: { status: 'ABNORMAL', refundFen: 800, totalFen: 2800 },
    });
  });

  test('waits while the balance is short', async () => {
    const { ask } = await payAndRefund(apiVersion, `poor-${apiVersion}`);
    await bench.control('POST', '/merchant', { balanceFen: 799 });
    expect(await ask()).toMatchObject({ kind: 'waiting', waitingFor: 'BALANCE' });
    await bench.control('POST', '/merchant', { balanceFen: null });
    expect(await ask()).toMatchObject({ kind: 'accepted' });
  });

  test('is unknown when its answer is lost, and the same one when it is asked again', async () => {
    const { ask } = await payAndRefund(apiVersion, `lost-${apiVersion}`);
    await bench.control('POST', '/faults', { point: 'refund', kind: 'cut' });
    expect(await ask().catch(() => ({ kind: 'unknown' }))).toMatchObject({ kind: 'unknown' });
    await bench.control('DELETE', '/faults');
    expect(await ask()).toMatchObject({ kind: 'accepted' });
    const { body } = await bench.control('GET', `/orders/lost-${apiVersion}`);
    expect(body['refunds']).toHaveLength(1);
  });
});

test('a refund of v2 with a revoked certificate waits for its owner', async () => {
  const { ask } = await payAndRefund('v2', 'revoked-2');
  await bench.control('POST', '/merchant', { merchantCertificate: true });
  await bench.control('DELETE', `/merchant/certificates/${bench.merchant.merchantSerialNo}`);
  expect(await ask()).toMatchObject({
    kind: 'waiting',
    waitingFor: 'CONFIG',
    mayHaveReached: false,
  });
});
