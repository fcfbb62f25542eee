/** Answers as they come in reality: errors without signature, `detail` of any form, HTML, half an answer. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bench, sign, startBench, tenpayUtil } from '../support.ts';
import {
  callV3,
  isSignedBy,
  orderBody,
  placeV3,
  queryV3,
  rsaSign,
  stringOf,
} from '../v3-support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => bench.stop());

const fault = async (body: object) => bench.control('POST', '/faults', body);
const lastMessage = async () => {
  const { messages } = (await bench.control('GET', '/messages')).body as unknown as {
    messages: Record<string, unknown>[];
  };
  return messages.at(-1) ?? {};
};

describe('an error of v3', () => {
  test.each([
    [{ field: '/amount/currency', value: 'XYZ', issue: 'not CNY', location: 'body' }],
    [{ location: 'body', value: '/body/payer/openid' }],
    [{ detail: { issue: 'sign not match' }, field: 'signature', location: 'authorization' }],
    [{}],
    [''],
    [[]],
    [null],
  ])('has the detail %j', async (detail) => {
    await fault({ point: 'unifiedorder', kind: 'error', code: 'PARAM_ERROR', detail });
    const { status, json, headers, text } = await placeV3(bench, 'detail-1');
    expect([status, json]).toEqual([400, { code: 'PARAM_ERROR', detail, message: '参数错误' }]);
    expect(isSignedBy(bench.merchant.wechatpayPublicKey, headers, text)).toBe(true);
  });

  test('has none unless it is asked for, and the text that is', async () => {
    await fault({ point: 'orderquery', kind: 'error', code: 'NOAUTH', text: '商户未开通此产品' });
    const { status, json } = await queryV3(bench, 'detail-2');
    expect([status, json]).toEqual([403, { code: 'NO_AUTH', message: '商户未开通此产品' }]);
  });

  test('may come without signature', async () => {
    await fault({ point: 'unifiedorder', kind: 'error', code: 'SIGN_ERROR', signed: false });
    const { status, headers, json } = await placeV3(bench, 'unsigned-1');
    expect([status, json['code']]).toEqual([401, 'SIGN_ERROR']);
    expect([...headers.keys()].filter((name) => name.startsWith('wechatpay-'))).toEqual([]);
    expect(headers.get('request-id')).toMatch(/-268443699$/);
    const message = await lastMessage();
    expect(message['note']).toBe('the answer has no signature');
    expect(message['answerSignature']).toBeUndefined();
  });
});

test.each([
  ['APPID_MCHID_NOT_MATCH', 'APPID_MCHID_NOT_MATCH'],
  ['PARAM_ERROR', 'PARAM_ERROR'],
  ['APPID_NOT_EXIST', 'APPID_NOT_EXIST'],
  // Names of v3 that v2 has under another one.
  ['ORDER_PAID', 'ORDERPAID'],
  ['RESOURCE_NOT_EXISTS', 'ORDERNOTEXIST'],
  ['RATELIMIT_EXCEEDED', 'FREQUENCY_LIMITED'],
])('the fault %s is %s in an error of v2', async (code, expected) => {
  await fault({ point: 'orderquery', kind: 'error', code });
  expect(await bench.call('/pay/orderquery', { out_trade_no: 'code-1' })).toMatchObject({
    result_code: 'FAIL',
    err_code: expected,
  });
});

test('an error of v2 without signature has a text and no code', async () => {
  await fault({
    point: 'unifiedorder',
    kind: 'error',
    code: 'APPID_MCHID_NOT_MATCH',
    signed: false,
    text: '商户号mch_id与appid不匹配',
  });
  expect(await bench.placeOrder('unsigned-2')).toEqual({
    return_code: 'FAIL',
    return_msg: '商户号mch_id与appid不匹配',
  });
});

/** One call at each point, by `fetch`, so that the bytes can be looked at. */
async function askAt(point: string): Promise<Response> {
  const { merchant, simulator } = bench;
  if (point === 'code2session') {
    const code = String((await bench.control('POST', '/login', { user: 'alice' })).body['code']);
    const query = `appid=${merchant.appid}&secret=${merchant.appSecret}&js_code=${code}&grant_type=authorization_code`;
    return fetch(`${simulator.url}/sns/jscode2session?${query}`);
  }
  const url = {
    certificates: '/v3/certificates',
    unifiedorder: '/v3/pay/transactions/jsapi',
    orderquery: `/v3/pay/transactions/out-trade-no/N?mchid=${merchant.mchid}`,
  }[point];
  const method = point === 'unifiedorder' ? 'POST' : 'GET';
  const body = method === 'POST' ? JSON.stringify(await orderBody(bench, 'broken-1')) : '';
  const timestamp = Math.floor(Date.now() / 1000).toString();
  const parts = { method, url: url ?? '', timestamp, nonce: 'n0nce', body };
  const signature = rsaSign(stringOf(parts), merchant.merchantPrivateKey);
  return fetch(`${simulator.url}${url}`, {
    method,
    headers: {
      authorization: `WECHATPAY2-SHA256-RSA2048 mchid="${merchant.mchid}",nonce_str="n0nce",timestamp="${timestamp}",serial_no="${merchant.merchantSerialNo}",signature="${signature}"`,
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'test',
    },
    ...(method === 'POST' ? { body } : {}),
  });
}

describe.each(['unifiedorder', 'orderquery', 'certificates', 'code2session'])('at %s', (point) => {
  test('html is a page of a proxy, with a status and no signature', async () => {
    await fault({ point, kind: 'html', status: 504 });
    const response = await askAt(point);
    expect(response.status).toBe(504);
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(response.headers.get('wechatpay-signature')).toBeNull();
    expect(await response.text()).toContain('<h1>504</h1>');
    expect(await lastMessage()).toMatchObject({
      fault: 'html',
      note: 'a proxy in between answered; WeChat never saw the request',
    });
  });

  test('truncated is half an answer that HTTP calls whole', async () => {
    await fault({ point, kind: 'truncated', times: 1 });
    const half = await (await askAt(point)).text();
    expect(half).toMatch(/^\{/);
    expect(() => JSON.parse(half) as unknown).toThrow(SyntaxError);
  });

  test('cut ends the connection in the middle of the answer', async () => {
    await fault({ point, kind: 'cut', times: 1 });
    const response = await askAt(point);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(20);
    await expect(response.text()).rejects.toThrow('terminated');
    expect(await lastMessage()).toMatchObject({
      note: 'the connection was cut in the middle of the answer',
    });
  });
});

describe('what becomes of the order', () => {
  test.each([
    ['html', 404],
    ['truncated', 200],
    ['cut', 200],
  ])('%s: the book answers %i', async (kind, status) => {
    await fault({ point: 'unifiedorder', kind });
    await askAt('unifiedorder')
      .then(async (response) => response.text())
      .catch(() => undefined);
    expect((await bench.control('GET', '/orders/broken-1')).status).toBe(status);
  });

  test('a login code is used up by an answer that was cut, not by a page of a proxy', async () => {
    await fault({ point: 'code2session', kind: 'truncated', times: 1 });
    await askAt('code2session');
    const message = await lastMessage();
    const used = await fetch(
      bench.simulator.url + String(message['path']).replace('***', bench.merchant.appSecret),
    );
    expect(await used.json()).toMatchObject({ errcode: 40163 });
  });
});

test('v2: HTML and half an answer', async () => {
  await fault({ point: 'orderquery', kind: 'html', times: 1 });
  const ask = async () =>
    fetch(`${bench.simulator.url}/pay/orderquery`, { method: 'POST', body: signedQuery() });
  const page = await ask();
  expect([page.status, page.headers.get('content-type')]).toEqual([502, 'text/html']);
  await fault({ point: 'orderquery', kind: 'truncated', times: 1 });
  const half = await (await ask()).text();
  expect(half).toMatch(/^<xml>/);
  expect(half).not.toContain('</xml>');
});

function signedQuery(): string {
  const { merchant } = bench;
  const fields = {
    appid: merchant.appid,
    mch_id: merchant.mchid,
    nonce_str: 'n0nce',
    out_trade_no: 'N',
  };
  return tenpayUtil.buildXML({ ...fields, sign: sign(fields, merchant.apiV2Key) });
}

test('a 204 has no body that could be cut', async () => {
  await fault({ point: 'closeorder', kind: 'truncated' });
  const close = '/v3/pay/transactions/out-trade-no/none/close';
  const { status, text } = await callV3(bench, 'POST', close, { mchid: bench.merchant.mchid });
  expect([status, text]).toEqual([204, '']);
});

describe('what a fault does not have', () => {
  test.each([
    [
      { point: 'unifiedorder', kind: 'drop', signed: false },
      '"signed" belongs to the kind "error"',
    ],
    [{ point: 'unifiedorder', kind: 'error', signed: 'no' }, '"signed" must be true or false'],
    [{ point: 'unifiedorder', kind: 'error', status: 500 }, '"status" belongs to the kind "html"'],
    [{ point: 'unifiedorder', kind: 'html', status: 99 }, '"status" must be an HTTP status'],
    [
      { point: 'code2session', kind: 'error', detail: {} },
      '"detail" is not possible at code2session',
    ],
    [
      { point: 'unifiedorder', kind: 'error', text: 'x'.repeat(257) },
      '"text" must be a text of up',
    ],
  ])('%j', async (body, message) => {
    const answer = await fault(body);
    expect([answer.status, answer.body['error']]).toMatchObject([
      400,
      { code: 'INVALID_FIELD', message: expect.stringContaining(message) as string },
    ]);
  });
});

describe('code2session', () => {
  const TEXTS: [number, string][] = [
    [-1, 'system error'],
    [40001, 'invalid credential'],
    [40002, 'invalid grant_type'],
    [40013, 'invalid appid'],
    [40029, 'invalid code'],
    [40066, 'invalid url'],
    [40125, 'invalid appsecret'],
    [40163, 'code been used'],
    [40164, 'not in whitelist'],
    [40226, 'code blocked'],
    [40243, 'frozen'],
    [41002, 'appid missing'],
    [41004, 'appsecret missing'],
    [41008, 'missing code'],
    [43001, 'require GET method'],
    [43003, 'require https'],
    [44990, 'frequency limit'],
    [45009, 'daily quota'],
    [45011, 'minute-quota'],
    [45035, 'not in ip-white-list'],
    [48001, 'api unauthorized'],
    [48004, 'api forbidden'],
    [50001, 'user unauthorized'],
    [50002, 'user limited'],
    [61004, 'clientip is not registered'],
  ];

  test.each(TEXTS)('answers %i %s, with a rid', async (code, text) => {
    await fault({ point: 'code2session', kind: 'error', code });
    expect(await (await askAt('code2session')).json()).toEqual({
      errcode: code,
      errmsg: expect.stringMatching(new RegExp(`${text}.*, rid: [0-9a-f]+-[0-9a-f]{8}-`)) as string,
    });
  });

  test('knows no other code', async () => {
    const { body } = await fault({ point: 'code2session', kind: 'error', code: 1 });
    const known = TEXTS.map(([code]) => code).join(', ');
    expect(body['error']).toMatchObject({ code: 'UNKNOWN_ERROR_CODE' });
    const { message } = body['error'] as unknown as { message: string };
    expect(new Set(message.replace(/^.*one of /, '').split(', '))).toEqual(
      new Set(known.split(', ')),
    );
  });
});
