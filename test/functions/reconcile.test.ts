import { beforeEach, describe, expect, test } from 'vitest';
import { reconcileHandler } from '../../functions/reconcile.ts';
import { ConfigError } from '../../lib/errors.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { recordedFunction } from '../support/api-event.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, sampleOrder, orderId } from '../support/sample-orders.ts';
import type { MerchantSecret } from '../../lib/secrets/merchant.ts';
import { newCertifiedKey } from '../support/rsa-keys.ts';
import { merchantWith, secretVersions } from '../support/secret-versions.ts';
import { paidFields } from '../support/v2-message.ts';
import { accepted, refused, type SentRequest, wechatDouble } from '../support/wechat-double.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const context = (remainingMs = 55_000) => ({
  awsRequestId: 'run-0001',
  getRemainingTimeInMillis: () => remainingMs,
});

/** WeChat's book when the run comes, half an hour after the orders were made. */
async function answer({ path, fields }: SentRequest) {
  const outTradeNo = fields['out_trade_no'] ?? '';
  if (path === '/pay/closeorder') {
    if (outTradeNo === 'lost-0001') {
      return refused('ORDERPAID');
    }
    return outTradeNo === 'never-0001' ? refused('ORDERNOTEXIST') : accepted;
  }
  switch (outTradeNo) {
    case 'lost-0001':
      return paidFields({ trade_state: 'SUCCESS', out_trade_no: outTradeNo });
    case 'wrong-0001':
      return paidFields({ trade_state: 'SUCCESS', out_trade_no: outTradeNo, total_fee: '1' });
    case 'never-0001':
      return refused('ORDERNOTEXIST');
    case 'broken-0001':
      return refused('SYSTEMERROR');
    case 'left-0001':
      return { ...accepted, out_trade_no: outTradeNo, trade_state: 'CLOSED' };
    default:
      return { ...accepted, out_trade_no: outTradeNo, trade_state: 'NOTPAY' };
  }
}

function openReconcile(on: Table = table, merchant: MerchantSecret = merchantWith()) {
  const wechat = wechatDouble(answer);
  const functionLog = recordedFunction();
  const handler = reconcileHandler(
    () => ({
      merchant: secretVersions(merchant),
      table: on,
      wechatPay: wechat.wechatPay,
      nowMs: () => (CREATED_AT + 1800) * 1000,
      paymentAfterClose: 'keep',
      notifyBaseUrl: 'https://pay.example.com',
    }),
    functionLog,
  );
  return { handler, functionLog, log: functionLog.log, requests: wechat.requests };
}

describe('a run of reconcile', () => {
  test('repairs, closes and puts off, and says how many in one line', async () => {
    const numbers = ['lost', 'left', 'never', 'wrong', 'broken'].map((name) => `${name}-0001`);
    await Promise.all(numbers.map((outTradeNo) => createOrder(table, sampleOrder({ outTradeNo }))));
    const later = { expiresAtEpochSeconds: CREATED_AT + 7200 };
    await createOrder(table, sampleOrder({ outTradeNo: 'open-0001', ...later }));
    const { handler, functionLog, log } = openReconcile();
    const summary = await handler({}, context());

    expect(summary).toEqual({
      due: 6,
      paid: 1,
      closed: 2,
      stillOpen: 1,
      settledMeanwhile: 0,
      refunded: 0,
      refundClosed: 0,
      refundAbnormal: 0,
      mismatched: 1,
      unsettled: 0,
      failed: 1,
      cutOff: 0,
      timeRanOut: false,
      wechatSilent: false,
      backlog: 0,
      oldestDueSeconds: 0,
    });
    expect(log.lines.filter(({ message }) => message === 'reconciled')).toEqual([
      { level: 'info', message: 'reconciled', fields: summary },
    ]);
    expect(log.counts).toEqual({
      OrderPaid: 1,
      PaymentFoundByReconcile: 1,
      OrderClosed: 2,
      TransactionMismatch: 1,
      ReconcileOrderFailed: 1,
    });
    expect(functionLog.requestIds).toEqual(['run-0001']);
    expect(functionLog.flushes()).toBe(1);
    const states = [...numbers, 'open-0001'].map(async (outTradeNo) => [
      outTradeNo,
      (await readOrder(table, orderId(outTradeNo)))?.tradeState,
    ]);
    expect(Object.fromEntries(await Promise.all(states))).toEqual({
      'lost-0001': 'SUCCESS',
      'left-0001': 'CLOSED',
      'never-0001': 'CLOSED',
      'wrong-0001': 'NOTPAY',
      'broken-0001': 'NOTPAY',
      'open-0001': 'NOTPAY',
    });
  });

  test('closes at WeChat before it asks, and only orders whose time is over', async () => {
    await createOrder(table, sampleOrder({ outTradeNo: 'left-0001' }));
    const first = openReconcile();
    await first.handler({}, context());
    expect(first.requests.map(({ path }) => path)).toEqual(['/pay/closeorder', '/pay/orderquery']);

    const later = { expiresAtEpochSeconds: CREATED_AT + 1801 };
    await createOrder(table, sampleOrder({ outTradeNo: 'open-0001', ...later }));
    const second = openReconcile();
    await second.handler({}, context());
    expect(second.requests.map(({ path }) => path)).toEqual(['/pay/orderquery']);
  });

  test('without time left touches nothing and says so', async () => {
    await createOrder(table, sampleOrder());
    const { handler, requests } = openReconcile();

    expect(await handler({}, context(12_499))).toMatchObject({ due: 0, timeRanOut: true });
    expect(requests).toEqual([]);
  });

  test('watches the life of the merchant’s certificate', async () => {
    const { certificate } = newCertifiedKey((CREATED_AT + 1800) * 1000);
    const { handler, log } = openReconcile(table, {
      ...merchantWith(),
      merchantCertificate: certificate,
    });
    await handler({}, context());
    await handler({}, context());

    expect(log.counts).toEqual({ MerchantCertificateDaysLeft: expect.any(Number) });
    expect(log.messages('info')).toEqual([
      'days the merchant certificate still lives',
      'reconciled',
      'reconciled',
    ]);
  });

  test('with wrong keys closes nothing, and counts it for each order', async () => {
    await createOrder(table, sampleOrder());
    const refusal = async () => ({ return_code: 'FAIL', return_msg: '签名错误' });
    const wechat = wechatDouble(refusal);
    const functionLog = recordedFunction();
    const handler = reconcileHandler(
      () => ({
        merchant: secretVersions(merchantWith()),
        table,
        wechatPay: wechat.wechatPay,
        nowMs: () => (CREATED_AT + 7200) * 1000,
        paymentAfterClose: 'keep',
        notifyBaseUrl: 'https://pay.example.com',
      }),
      functionLog,
    );

    expect(await handler({}, context())).toMatchObject({ failed: 1, closed: 0 });
    expect(functionLog.log.counts).toMatchObject({ ConfigError: 1, ReconcileOrderFailed: 1 });
    expect(functionLog.log.lines[0]?.fields).toMatchObject({
      code: 'CONFIG_ERROR',
      secret: 'merchant',
      field: 'apiV2Key',
      consolePage: '商户平台 → 账户中心 → API安全 → APIv2密钥',
    });
    expect((await readOrder(table, orderId('order-0001')))?.tradeState).toBe('NOTPAY');
  });

  test('with nothing due still says so in one line', async () => {
    const { handler, log } = openReconcile();
    await handler({}, context());

    expect(log.messages('info')).toEqual(['reconciled']);
  });

  test('that cannot read the index fails, with one line, so that the alarm on errors sees it', async () => {
    const broken = watchTable(table, async () => {
      throw new Error('throttled');
    });
    const { handler, log, functionLog } = openReconcile(broken);

    await expect(handler({}, context())).rejects.toThrow('throttled');
    expect(log.lines).toMatchObject([
      { level: 'error', message: 'reconcile failed', fields: { reason: 'throttled' } },
    ]);
    expect(log.counts).toEqual({});
    expect(functionLog.flushes()).toBe(1);
  });

  test('with a wrong setting fails and names it', async () => {
    const functionLog = recordedFunction();
    const handler = reconcileHandler(() => {
      throw new ConfigError('the environment variable TABLE_NAME is not set');
    }, functionLog);

    await expect(handler({}, context())).rejects.toThrow('TABLE_NAME');
    expect(functionLog.log.lines).toMatchObject([
      { level: 'error', fields: { code: 'CONFIG_ERROR' } },
    ]);
    expect(functionLog.log.counts).toEqual({ ConfigError: 1 });
    expect(functionLog.flushes()).toBe(1);
  });
});
