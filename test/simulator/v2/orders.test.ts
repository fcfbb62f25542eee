import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, sign, startBench } from '../support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

const advance = async (advanceSeconds: number) =>
  bench.control('POST', '/clock', { advanceSeconds });

/** `yyyyMMddHHmmss` in Beijing, so many seconds after WeChat's now. */
async function beijing(secondsFromNow: number): Promise<string> {
  const { body } = await bench.control('GET', '/clock');
  const now = Date.parse(body['now'] as unknown as string);
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'Asia/Shanghai',
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(now + secondsFromNow * 1000);
  return parts.replaceAll(/\D/g, '');
}

describe('unifiedorder', () => {
  test('answers with a prepay_id, signed like the request, without sign_type', async () => {
    for (const signType of ['MD5', 'HMAC-SHA256']) {
      const answer = await bench.placeOrder(`answer-${signType}`, {}, signType);
      expect(answer).toMatchObject({
        return_code: 'SUCCESS',
        return_msg: 'OK',
        appid: bench.merchant.appid,
        mch_id: bench.merchant.mchid,
        result_code: 'SUCCESS',
        trade_type: 'JSAPI',
        prepay_id: expect.stringMatching(/^wx\d{14}[0-9a-f]{20}$/),
      });
      expect(answer).not.toHaveProperty('sign_type');
      expect(answer['sign']).toBe(sign(answer, bench.merchant.apiV2Key, signType));
    }
  });

  test('reads an absent and an empty sign_type as MD5', async () => {
    const fields = await bench.orderFields('no-sign-type', { sign_type: undefined });
    const absent = await bench.call('/pay/unifiedorder', fields, { signType: 'MD5' });
    expect(absent['result_code']).toBe('SUCCESS');
    const empty = await bench.call(
      '/pay/unifiedorder',
      { ...fields, out_trade_no: 'empty-sign-type', sign_type: '' },
      { signType: 'MD5' },
    );
    expect(empty['result_code']).toBe('SUCCESS');
    expect(empty['sign']).toHaveLength(32);
  });

  test('gives a NATIVE order a code_url and needs no openid for it', async () => {
    const answer = await bench.placeOrder('native', {
      trade_type: 'NATIVE',
      product_id: 'p1',
      openid: undefined,
    });
    expect(answer['code_url']).toMatch(/^weixin:\/\/wxpay\/bizpayurl\?pr=\w{9}$/);
    const paid = await bench.control('POST', '/orders/native/pay', { user: 'carol' });
    expect(paid).toMatchObject({ status: 200, body: { errMsg: 'requestPayment:ok' } });
    expect(await bench.call('/pay/orderquery', { out_trade_no: 'native' })).toMatchObject({
      trade_state: 'SUCCESS',
      openid: await bench.openidOf('carol'),
    });
  });

  test.each([
    ['body', undefined, 'LACK_PARAMS', '缺少必填参数body'],
    ['out_trade_no', undefined, 'LACK_PARAMS', '缺少必填参数out_trade_no'],
    ['total_fee', '', 'LACK_PARAMS', '缺少必填参数total_fee'],
    ['notify_url', undefined, 'LACK_PARAMS', '缺少必填参数notify_url'],
    ['spbill_create_ip', undefined, 'LACK_PARAMS', '缺少必填参数spbill_create_ip'],
    ['trade_type', undefined, 'LACK_PARAMS', '缺少必填参数trade_type'],
    ['openid', undefined, 'LACK_PARAMS', 'JSAPI支付必须传openid'],
    ['body', '茶'.repeat(43), 'INVALID_REQUEST', 'body参数长度有误'],
    ['attach', 'x'.repeat(128), 'INVALID_REQUEST', 'attach参数长度有误'],
    ['out_trade_no', 'x'.repeat(33), 'INVALID_REQUEST', 'out_trade_no参数长度有误'],
    ['nonce_str', 'x'.repeat(33), 'INVALID_REQUEST', 'nonce_str参数长度有误'],
    ['out_trade_no', 'a b', 'INVALID_REQUEST', 'out_trade_no参数格式错误'],
    ['out_trade_no', '订单1', 'INVALID_REQUEST', 'out_trade_no参数格式错误'],
    ['total_fee', '0', 'INVALID_REQUEST', 'total_fee参数格式错误'],
    ['total_fee', '-1', 'INVALID_REQUEST', 'total_fee参数格式错误'],
    ['total_fee', '1.5', 'INVALID_REQUEST', 'total_fee参数格式错误'],
    ['total_fee', '01', 'INVALID_REQUEST', 'total_fee参数格式错误'],
    ['total_fee', '1e3', 'INVALID_REQUEST', 'total_fee参数格式错误'],
    ['fee_type', 'USD', 'INVALID_REQUEST', 'fee_type参数格式错误'],
    ['trade_type', 'jsapi', 'INVALID_REQUEST', 'trade_type参数格式错误'],
    ['trade_type', 'MWEB', 'NOAUTH', '商户无此接口权限'],
    ['limit_pay', 'credit', 'INVALID_REQUEST', 'limit_pay参数格式错误'],
    ['profit_sharing', 'y', 'INVALID_REQUEST', 'profit_sharing参数格式错误'],
    ['spbill_create_ip', '1.2.3', 'INVALID_REQUEST', 'invalid spbill_create_ip'],
    ['notify_url', '/notify', 'INVALID_REQUEST', 'notify_url参数格式错误'],
    ['notify_url', 'https://a.example/n?x=1', 'INVALID_REQUEST', 'notify_url参数格式错误'],
    ['notify_url', 'ftp://a.example/n', 'INVALID_REQUEST', 'notify_url参数格式错误'],
    ['detail', '{"goods_detail":[', 'INVALID_REQUEST', 'detail参数格式错误'],
    ['detail', '{"goods_detail":[{"goods_id":"1"}]}', 'INVALID_REQUEST', 'detail参数格式错误'],
    ['scene_info', 'shop', 'INVALID_REQUEST', 'scene_info参数格式错误'],
    ['scene_info', '{"store_info":{}}', 'INVALID_REQUEST', 'scene_info参数格式错误'],
    [
      'scene_info',
      '{"store_info":{"id":"1","area_code":"4403051"}}',
      'INVALID_REQUEST',
      'scene_info参数格式错误',
    ],
    [
      'detail',
      '{"goods_detail":[{"goods_id":"1","quantity":0,"price":1}]}',
      'INVALID_REQUEST',
      'detail参数格式错误',
    ],
    [
      'detail',
      `{"goods_detail":[{"goods_id":"${'1'.repeat(33)}","quantity":1,"price":1}]}`,
      'INVALID_REQUEST',
      'detail参数格式错误',
    ],
    [
      'detail',
      '{"cost_price":"1","goods_detail":[{"goods_id":"1","quantity":1,"price":1}]}',
      'INVALID_REQUEST',
      'detail参数格式错误',
    ],
    ['time_start', '2026-01-01', 'INVALID_REQUEST', 'time_start参数格式错误'],
    ['time_expire', '20261340000000', 'INVALID_REQUEST', 'time_expire参数格式错误'],
  ])('with %s=%s is refused: %s %s', async (name, value, code, text) => {
    const answer = await bench.placeOrder('refused-order', { [name]: value });
    expect(answer).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'FAIL',
      err_code: code,
      err_code_des: text,
    });
    expect(answer['sign']).toBe(sign(answer, bench.merchant.apiV2Key, 'HMAC-SHA256'));
    expect((await bench.control('GET', '/orders/refused-order')).status).toBe(404);
  });

  test('takes every value at the limit of its length', async () => {
    const answer = await bench.placeOrder(`limit-${'x'.repeat(26)}`, {
      body: '茶'.repeat(42),
      attach: 'x'.repeat(127),
      spbill_create_ip: '2001:db8::1',
      detail: '{"goods_detail":[{"goods_id":"1","quantity":1,"price":1}]}',
      scene_info: '{"store_info":{"id":"SZTX001"}}',
      limit_pay: 'no_credit',
    });
    expect(answer['result_code']).toBe('SUCCESS');
  });

  test.each([
    ['appid', 'wx0000000000000000', { result_code: 'FAIL', err_code: 'APPID_NOT_EXIST' }],
    ['appid', undefined, { return_code: 'FAIL', return_msg: '缺少参数' }],
    ['nonce_str', undefined, { return_code: 'FAIL', return_msg: '缺少参数' }],
    ['mch_id', '1900000000', { return_code: 'FAIL', return_msg: 'MCHID不存在' }],
    ['mch_id', undefined, { return_code: 'FAIL', return_msg: 'mch_id参数格式错误' }],
    ['sign_type', 'SHA256', { return_code: 'FAIL', return_msg: '签名错误' }],
    [
      'openid',
      'oUpF8uMEb4qRXf22hE3X68TekukE',
      { return_code: 'FAIL', return_msg: 'appid and openid not match' },
    ],
  ])('of an unknown %s (%s) is refused', async (name, value, expected) => {
    expect(await bench.placeOrder('unknown', { [name]: value })).toMatchObject(expected);
  });

  test('FAIL as return_code comes with a text, unsigned, and nothing else', async () => {
    const answer = await bench.placeOrder('unsigned', { mch_id: '1900000000' });
    expect(Object.keys(answer)).toEqual(['return_code', 'return_msg']);
  });

  test('again with the same parameters gives a fresh prepay_id; both can be paid, once', async () => {
    const first = await bench.placeOrder('again', { time_expire: await beijing(600) });
    const { time_expire } = (await bench.control('GET', '/orders/again')).body[
      'request'
    ] as unknown as Record<string, string>;
    const second = await bench.placeOrder('again', { time_expire });
    expect(second['result_code']).toBe('SUCCESS');
    expect(second['prepay_id']).not.toBe(first['prepay_id']);
    expect(await bench.payByPhone(first['prepay_id'] ?? '')).toEqual({
      errMsg: 'requestPayment:ok',
    });
    expect(await bench.payByPhone(second['prepay_id'] ?? '')).toMatchObject({
      errMsg: 'requestPayment:fail 该订单已支付',
      reason: 'ORDER_PAID',
    });
    expect(await bench.placeOrder('again', { time_expire })).toMatchObject({
      err_code: 'ORDERPAID',
      err_code_des: '该订单已支付',
    });
  });

  test.each([
    ['total_fee', '2801'],
    ['body', 'other'],
    ['attach', 'more'],
    ['notify_url', 'https://other.example/notify'],
    ['spbill_create_ip', '127.0.0.2'],
    ['time_expire', '20991231000000'],
  ])('again with another %s is refused', async (name, value) => {
    await bench.placeOrder(`reused-${name}`);
    expect(await bench.placeOrder(`reused-${name}`, { [name]: value })).toMatchObject({
      result_code: 'FAIL',
      err_code: 'INVALID_REQUEST',
      err_code_des: '201 商户订单号重复',
    });
  });

  test('again with another sign_type is refused', async () => {
    await bench.placeOrder('reused-sign-type', {}, 'MD5');
    expect(await bench.placeOrder('reused-sign-type', {}, 'HMAC-SHA256')).toMatchObject({
      err_code: 'INVALID_REQUEST',
    });
  });

  test('of a closed number is refused', async () => {
    await bench.placeOrder('closed-number');
    await advance(300);
    await bench.call('/pay/closeorder', { out_trade_no: 'closed-number' });
    expect(await bench.placeOrder('closed-number')).toMatchObject({ err_code: 'ORDERCLOSED' });
  });

  test('needs a time_expire of 5 minutes', async () => {
    const tooShort = {
      err_code: 'INVALID_REQUEST',
      err_code_des: 'time_expire时间过短，刷卡至少1分钟，其他5分钟',
    };
    const order = async (seconds: number) =>
      bench.placeOrder(`expire-${seconds}`, { time_expire: await beijing(seconds) });
    expect(await order(-60)).toMatchObject(tooShort);
    expect(await order(60)).toMatchObject(tooShort);
    expect(await order(290)).toMatchObject(tooShort);
    expect(await order(300)).toMatchObject({ result_code: 'SUCCESS' });
  });

  test('again is possible until time_expire, also in its last minutes', async () => {
    const time_expire = await beijing(600);
    await bench.placeOrder('last-minutes', { time_expire });
    await advance(500);
    expect(await bench.placeOrder('last-minutes', { time_expire })).toMatchObject({
      result_code: 'SUCCESS',
    });
    await advance(120);
    expect(await bench.placeOrder('last-minutes', { time_expire })).toMatchObject({
      err_code: 'INVALID_REQUEST',
    });
  });

  test('shortens a time_expire of more than 90 days without a word', async () => {
    await bench.placeOrder('too-long', { time_expire: await beijing(200 * 24 * 3600) });
    const { payableUntil } = await bench.book('too-long');
    const { body } = await bench.control('GET', '/clock');
    const days = (Date.parse(payableUntil) - Date.parse(body['now'] as unknown as string)) / 864e5;
    expect(days).toBeCloseTo(90, 1);
  });
});

describe('the gate', () => {
  const post = async (body: string | Uint8Array<ArrayBuffer>, method = 'POST') => {
    const response = await fetch(`${bench.simulator.url}/pay/unifiedorder`, {
      method,
      ...(method === 'GET' ? {} : { body }),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const failed = (text: string) =>
    `<xml><return_code><![CDATA[FAIL]]></return_code>\n<return_msg><![CDATA[${text}]]></return_msg>\n</xml>`;

  test.each([
    ['no body', '', 'post数据为空'],
    ['JSON', '{"appid":"wx"}', 'XML格式错误'],
    ['a DOCTYPE', '<!DOCTYPE xml><xml><mch_id>1</mch_id></xml>', 'XML格式错误'],
    ['more than 64 kB', `<xml><body>${'x'.repeat(66_000)}</body></xml>`, 'XML格式错误'],
    ['a megabyte', 'x'.repeat(1_000_000), 'XML格式错误'],
    [
      'GBK bytes',
      Uint8Array.from(Buffer.from('3c786d6c3eb2e8caab3c2f786d6c3e', 'hex')),
      '编码格式错误',
    ],
  ])('refuses %s', async (_, body, text) => {
    expect(await post(body)).toMatchObject({ status: 200, text: failed(text) });
  });

  test('refuses GET', async () => {
    expect((await post('', 'GET')).text).toBe(failed('请使用post方法'));
  });

  test('answers as text/plain', async () => {
    expect((await post('<xml/>')).headers.get('content-type')).toBe('text/plain;charset=utf-8');
  });

  test('accepts an order without Content-Type, with <root> and in any order of elements', async () => {
    const fields = await bench.orderFields('liberal', {
      appid: bench.merchant.appid,
      mch_id: bench.merchant.mchid,
      nonce_str: 'n',
      body: 'a < b & c',
    });
    const given = Object.entries(fields) as [string, string][];
    const signature = sign(Object.fromEntries(given), bench.merchant.apiV2Key);
    const elements = [...given, ['sign', signature] as const].toReversed().map(([name, value]) => {
      const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      return `<${name}>${escaped}</${name}>`;
    });
    const body = new TextEncoder().encode(`<?xml version="1.0"?><root>${elements.join('')}</root>`);
    const answer = await post(body);
    expect(answer.text).toContain('<prepay_id>');
  });
});

describe('orderquery', () => {
  test('of an unpaid order shows the shape of 2019: total_fee and an empty device_info', async () => {
    await bench.placeOrder('query-notpay', { attach: 'x' });
    const answer = await bench.call('/pay/orderquery', { out_trade_no: 'query-notpay' });
    const { nonce_str: _, sign: signature, ...rest } = answer;
    expect(rest).toEqual({
      return_code: 'SUCCESS',
      return_msg: 'OK',
      appid: bench.merchant.appid,
      mch_id: bench.merchant.mchid,
      device_info: '',
      result_code: 'SUCCESS',
      total_fee: '2800',
      out_trade_no: 'query-notpay',
      trade_state: 'NOTPAY',
      trade_state_desc: '订单未支付',
    });
    expect(signature).toBe(sign(answer, bench.merchant.apiV2Key, 'HMAC-SHA256'));
  });

  test('of a paid order shows the payment, by either number', async () => {
    const { prepay_id: prepayId = '' } = await bench.placeOrder('query-paid', { attach: '附加' });
    await bench.payByPhone(prepayId);
    const answer = await bench.call('/pay/orderquery', { out_trade_no: 'query-paid' });
    expect(answer).toMatchObject({
      trade_state: 'SUCCESS',
      trade_state_desc: '支付成功',
      openid: await bench.openidOf('alice'),
      is_subscribe: 'N',
      trade_type: 'JSAPI',
      bank_type: 'OTHERS',
      total_fee: '2800',
      cash_fee: '2800',
      fee_type: 'CNY',
      transaction_id: expect.stringMatching(/^42\d{26}$/),
      attach: '附加',
      time_end: expect.stringMatching(/^\d{14}$/),
    });
    const { transaction_id } = answer;
    const byOther = await bench.call('/pay/orderquery', { transaction_id });
    expect(byOther['out_trade_no']).toBe('query-paid');
    const both = await bench.call('/pay/orderquery', { transaction_id, out_trade_no: 'other' });
    expect(both['out_trade_no']).toBe('query-paid');
  });

  test('of a closed order shows neither amount nor payer', async () => {
    await bench.placeOrder('query-closed');
    await advance(300);
    await bench.call('/pay/closeorder', { out_trade_no: 'query-closed' });
    const answer = await bench.call('/pay/orderquery', { out_trade_no: 'query-closed' });
    expect(answer).toMatchObject({
      trade_state: 'CLOSED',
      trade_state_desc: '订单已关闭',
      attach: '',
    });
    expect(answer).not.toHaveProperty('total_fee');
    expect(answer).not.toHaveProperty('openid');
  });

  test('of an unknown order fails', async () => {
    for (const field of ['out_trade_no', 'transaction_id']) {
      expect(await bench.call('/pay/orderquery', { [field]: 'nothing' })).toMatchObject({
        result_code: 'FAIL',
        err_code: 'ORDERNOTEXIST',
        err_code_des: 'order not exist',
      });
    }
    expect(await bench.call('/pay/orderquery', {})).toMatchObject({ err_code: 'LACK_PARAMS' });
  });
});

describe('closeorder', () => {
  test('is refused in the first 5 minutes, then closes, then says closed', async () => {
    await bench.placeOrder('close');
    const close = async () => bench.call('/pay/closeorder', { out_trade_no: 'close' });
    await advance(290);
    expect(await close()).toMatchObject({ result_code: 'FAIL', err_code: 'TRADE_STATE_ERROR' });
    await advance(10);
    expect(await close()).toMatchObject({ result_code: 'SUCCESS', result_msg: 'OK' });
    expect(await close()).toMatchObject({ result_code: 'FAIL', err_code: 'ORDERCLOSED' });
  });

  test('of a paid order is refused and leaves it paid', async () => {
    const { prepay_id: prepayId = '' } = await bench.placeOrder('close-paid');
    await bench.payByPhone(prepayId);
    await advance(300);
    expect(await bench.call('/pay/closeorder', { out_trade_no: 'close-paid' })).toMatchObject({
      err_code: 'ORDERPAID',
    });
    expect((await bench.book('close-paid')).tradeState).toBe('SUCCESS');
  });

  test('of an unknown order fails', async () => {
    expect(await bench.call('/pay/closeorder', { out_trade_no: 'nothing' })).toMatchObject({
      err_code: 'ORDERNOTEXIST',
    });
  });
});

describe('an order that nobody pays', () => {
  test('stays NOTPAY after time_expire and is closed by WeChat after 7 days', async () => {
    const { prepay_id: prepayId = '' } = await bench.placeOrder('abandoned', {
      time_expire: await beijing(600),
    });
    const state = async () =>
      (await bench.call('/pay/orderquery', { out_trade_no: 'abandoned' }))['trade_state'];
    await advance(700);
    expect(await state()).toBe('NOTPAY');
    expect(await bench.payByPhone(prepayId)).toMatchObject({ reason: 'ORDER_EXPIRED' });
    await advance(7 * 24 * 3600);
    expect(await state()).toBe('CLOSED');
    expect(await bench.placeOrder('abandoned')).toMatchObject({ err_code: 'ORDERCLOSED' });
  });
});
