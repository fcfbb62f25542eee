/** Refunds that somebody starts in the merchant console (商户平台): always notified in the format of v2. */
import { createDecipheriv, createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACKNOWLEDGEMENT, type Bench, startBench, tenpayUtil } from '../support.ts';
import { payV3, placeV3, queryV3 } from '../v3-support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => bench.stop());

describe('a refund in the merchant console', () => {
  const decrypt = (reqInfo: string, apiV2Key: string) => {
    const key = createHash('md5').update(apiV2Key).digest('hex');
    const decipher = createDecipheriv('aes-256-ecb', key, null);
    return decipher.update(reqInfo, 'base64', 'utf8') + decipher.final('utf8');
  };

  test.each(['v2', 'v3'])('of a %s order is notified in v2 XML, in parts', async (api) => {
    const { merchant, shop } = bench;
    shop.answerWith(() => ACKNOWLEDGEMENT);
    const number = `refund-${api}`;
    if (api === 'v3') {
      await payV3(bench, number);
    } else {
      const { prepay_id: prepayId = '' } = await bench.placeOrder(number);
      await bench.payByPhone(prepayId);
    }
    await bench.waitForAttempts(number, 1);
    const first = await bench.control('POST', `/orders/${number}/refund-in-console`, {
      refundFen: 800,
    });
    expect(first.body).toMatchObject({ refundFen: 800, refundedFen: 800 });
    await bench.waitForAttempts(number, 2);
    const fields = shop.received.at(-1)?.fields ?? {};
    expect(Object.keys(fields).toSorted()).toEqual(
      ['appid', 'mch_id', 'nonce_str', 'req_info', 'return_code'].toSorted(),
    );
    const inner = decrypt(fields['req_info'] ?? '', merchant.apiV2Key);
    expect(inner.startsWith('<root>\n<out_refund_no>')).toBe(true);
    expect(await tenpayUtil.parseXML(inner.replaceAll('root>', 'xml>'))).toEqual({
      out_refund_no: first.body['outRefundNo'],
      out_trade_no: number,
      refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
      refund_fee: '800',
      refund_id: first.body['refundId'],
      refund_recv_accout: '支付用户零钱',
      refund_request_source: 'VENDOR_PLATFORM',
      refund_status: 'SUCCESS',
      settlement_refund_fee: '800',
      settlement_total_fee: '2800',
      success_time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/) as string,
      total_fee: '2800',
      transaction_id: expect.stringMatching(/^42\d{26}$/) as string,
    });
    expect((await queryV3(bench, number)).json).toMatchObject({ trade_state: 'REFUND' });
    expect(await bench.call('/pay/orderquery', { out_trade_no: number })).toMatchObject({
      trade_state: 'REFUND',
      trade_state_desc: '订单发生过退款，退款详情请查询退款单',
    });
    const rest = await bench.control('POST', `/orders/${number}/refund-in-console`);
    expect(rest.body).toMatchObject({ refundFen: 2000, refundedFen: 2800 });
    const again = await bench.control('POST', `/orders/${number}/refund-in-console`);
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'NOTHING_LEFT' } } });
    expect(await bench.book(number)).toMatchObject({ tradeState: 'REFUND', refundedFen: 2800 });
  });

  test('goes to the address in the call, the console setting, or /notify/v2/refund beside the notify_url', async () => {
    const base = new URL(bench.shop.notifyUrl).origin;
    await bench.placeOrder('urls', { notify_url: `${base}/api/notify/v2/payment` });
    await bench.control('POST', '/orders/urls/pay');
    const refund = async (body: object) =>
      (await bench.control('POST', '/orders/urls/refund-in-console', body)).body['notifyUrl'];
    expect(await refund({ refundFen: 1 })).toBe(`${base}/api/notify/v2/refund`);
    await bench.control('POST', '/merchant', { refundNotifyUrl: `${base}/console` });
    expect(await refund({ refundFen: 1 })).toBe(`${base}/console`);
    expect(await refund({ refundFen: 1, notifyUrl: `${base}/call` })).toBe(`${base}/call`);
  });

  test.each<[string, object, number, string]>([
    ['unpaid', {}, 409, 'ORDER_NOT_PAID'],
    ['paid', { refundFen: 2801 }, 400, 'INVALID_FIELD'],
    ['paid', { refundFen: 0.5 }, 400, 'INVALID_FIELD'],
    ['paid', { notifyUrl: 'x' }, 400, 'INVALID_FIELD'],
  ])('of an %s order with %j is refused with %i %s', async (state, body, status, code) => {
    await placeV3(bench, 'refused-refund');
    if (state === 'paid') {
      await bench.control('POST', '/orders/refused-refund/pay');
    }
    expect(
      await bench.control('POST', '/orders/refused-refund/refund-in-console', body),
    ).toMatchObject({ status, body: { error: { code } } });
  });
});
