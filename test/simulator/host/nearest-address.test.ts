/** Calls to addresses that WeChat does not have: the answer and the log name the nearest one. */
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hintAtAddress } from '../../../simulator/host/nearest-address.ts';
import { type Bench, startBench } from '../support.ts';
import { callV3, type Json, queryV3 } from '../v3-support.ts';

const JSAPI = 'POST /v3/pay/transactions/jsapi';

describe('the hint at', () => {
  test.each([
    ['POST', '//v3/pay/transactions/jsapi', `${JSAPI}? there is a slash too many`],
    ['POST', '/v3/pay//transactions/jsapi', `${JSAPI}? there is a slash too many`],
    ['POST', '/v3/pay/transactions/jsapi/', `${JSAPI}? there is no slash at the end`],
    ['POST', '/api.mch.weixin.qq.com/v3/pay/transactions/jsapi', 'the host is no part of the path'],
    [
      'GET',
      '/https://api.mch.weixin.qq.com/v3/certificates',
      'GET /v3/certificates? the host is no part of the path',
    ],
    ['POST', '/api2.mch.weixin.qq.com/pay/orderquery', 'POST /pay/orderquery? the host is no'],
    ['GET', '/api.weixin.qq.com/sns/jscode2session', 'GET /sns/jscode2session? the host is no'],
    ['POST', '/pay/transactions/jsapi', `${JSAPI}? the addresses of API v3 begin with /v3`],
    [
      'GET',
      '/pay/transactions/jsapi',
      `${JSAPI}? the addresses of API v3 begin with /v3; it takes`,
    ],
    ['GET', '/certificates', 'GET /v3/certificates? the addresses of API v3 begin with /v3'],
    ['POST', '/v3/pay/unifiedorder', 'POST /pay/unifiedorder? this address has no version in it'],
    ['POST', '/v2/pay/orderquery', 'POST /pay/orderquery? this address has no version in it'],
    ['POST', '/v3/v3/pay/transactions/jsapi', `${JSAPI}? the version is there twice`],
    ['POST', '/sandboxnew/pay/unifiedorder', 'POST /pay/unifiedorder? there is no sandbox'],
    ['POST', '/V3/Pay/Transactions/JSAPI', `${JSAPI}? addresses are written in lower case`],
    [
      'GET',
      '//v3/pay/transactions/out-trade-no/T1/',
      'GET /v3/pay/transactions/out-trade-no/T1? there is a slash too many; there is no slash',
    ],
    ['POST', '/v3/pay/transaction/jsapi', `the nearest address is ${JSAPI}`],
    ['POST', '/v3/pay/transactions/app', 'the nearest address is'],
    ['POST', '/pay/unifiedOrders', 'the nearest address is POST /pay/unifiedorder'],
    ['POST', '/sns/jscode2sesion', 'the nearest address is GET /sns/jscode2session'],
  ])('%s %s', (method, path, hint) => {
    expect(hintAtAddress(method, path)).toContain(hint);
  });

  test.each(['/favicon.ico', '/health', `/${'x'.repeat(5000)}`])('%s is none', (path) => {
    expect(hintAtAddress('GET', path)).toBeUndefined();
  });
});

describe('over HTTP', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(async () => bench.stop());

  const lastNote = async () => {
    const { messages } = (await bench.control('GET', '/messages')).body as unknown as {
      messages: { note?: string }[];
    };
    return messages.at(-1)?.note;
  };

  /** `fetch` mends addresses; a socket does not. */
  const send = async (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; json: Json }>((resolve, reject) => {
      const { hostname, port } = new URL(bench.simulator.url);
      const request = http.request({ hostname, port, method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) as Json });
        });
      });
      request.on('error', reject).end();
    });

  test('a doubled slash is 404 with the hint, in the answer and in the message log', async () => {
    const { status, json } = await send('POST', '//v3/pay/transactions/jsapi');
    const message = expect.stringContaining(`did you mean ${JSAPI}?`) as string;
    expect([status, json]).toEqual([404, { error: { code: 'UNKNOWN_ADDRESS', message } }]);
    expect(await lastNote()).toContain('there is a slash too many');
  });

  test('a wrong address below /v3 is refused as WeChat does, with the hint', async () => {
    const { status, json } = await callV3(bench, 'POST', '/v3/pay/transaction/jsapi', {});
    expect(status).toBe(404);
    expect(json).toMatchObject({
      code: 'RESOURCE_NOT_EXISTS',
      message: `simulator: POST /v3/pay/transaction/jsapi is not served: the nearest address is ${JSAPI}`,
    });
  });

  test.each([
    ['GET', '/v3/pay/transactions/jsapi', 'POST'],
    ['POST', '/v3/certificates', 'GET'],
    ['GET', '/v3/pay/transactions/out-trade-no/T1/close', 'POST'],
    ['DELETE', '/v3/pay/transactions/out-trade-no/T1', 'GET'],
    ['GET', '/v3/refund/domestic/refunds', 'POST'],
    ['POST', '/v3/refund/domestic/refunds/R1', 'GET'],
    ['GET', '/v3/refund/domestic/refunds/503/apply-abnormal-refund', 'POST'],
  ])('%s %s: use %s', async (method, path, possible) => {
    const { status, json } = await send(method, path, { accept: '*/*', 'user-agent': 'test' });
    expect([status, json['message']]).toEqual([
      405,
      `simulator: ${method} ${path} is not possible: use ${possible}`,
    ]);
  });

  test('JSON at an address of v2 is told apart from broken XML', async () => {
    await fetch(`${bench.simulator.url}/pay/unifiedorder`, { method: 'POST', body: '{"a":1}' });
    expect(await lastNote()).toContain('it is JSON, for API v3: POST /v3/pay/transactions/jsapi');
  });

  test.each(['text/xml', 'application/json'])('XML at one of v3 as %s, likewise', async (type) => {
    const body = '<xml><mch_id>1</mch_id></xml>';
    const headers = { 'content-type': type };
    await callV3(bench, 'POST', '/v3/pay/transactions/jsapi', body, { headers });
    expect(await lastNote()).toMatch(/XML.*for API v2.*POST \/pay\/unifiedorder/);
  });

  test('a client may take the simulator for its HTTP proxy: the signature has no host', async () => {
    const query = `/v3/pay/transactions/out-trade-no/T1?mchid=${bench.merchant.mchid}`;
    const proxied: typeof fetch = async (_, init) => {
      const answered = await send('GET', `http://api.mch.weixin.qq.com${query}`, {
        host: 'api.mch.weixin.qq.com',
        ...Object.fromEntries(init?.headers as [string, string][]),
      });
      return Response.json(answered.json, { status: answered.status });
    };
    const direct = globalThis.fetch;
    globalThis.fetch = proxied;
    try {
      expect((await queryV3(bench, 'T1')).json).toMatchObject({ code: 'ORDER_NOT_EXIST' });
    } finally {
      globalThis.fetch = direct;
    }
  });
});
