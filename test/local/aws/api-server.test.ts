import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiHost, startApiHost } from './api-host.ts';

const TEMPLATE = `
service: shop
provider: { memorySize: 512, timeout: 5 }
functions:
  echo:
    handler: index.handler
    events:
      - httpApi: POST /login
      - httpApi: { method: get, path: '/orders/{outTradeNo}' }
      - httpApi: { method: '*', path: '/files/{proxy+}' }
  reply:
    handler: index.handler
    events: [{ httpApi: 'POST /reply' }]
  boom: { handler: index.handler, events: [{ httpApi: POST /boom }] }
  slow: { handler: index.handler, timeout: 0.2, events: [{ httpApi: POST /slow }] }
  patient: { handler: index.handler, timeout: 29, events: [{ httpApi: POST /patient }] }
  context: { handler: index.handler, memorySize: 1024, timeout: 4, events: [{ httpApi: GET /context }] }
`;

const SOURCES = {
  echo: 'export const handler = async (event) => ({ event });',
  reply: 'export const handler = async (event) => JSON.parse(event.body);',
  boom: "export const handler = async () => { throw new RangeError('secret detail'); };",
  slow: 'export const handler = () => new Promise((done) => { setTimeout(done, 1000); });',
  patient: 'export const handler = () => new Promise((done) => { setTimeout(done, 1500); });',
  context: `export const handler = async (event, context) => {
    process.stdout.write('{"level":"INFO","message":"seen"}\\n');
    const first = context.getRemainingTimeInMillis();
    await new Promise((done) => { setTimeout(done, 60); });
    const { awsRequestId, functionName, memoryLimitInMB, functionVersion } = context;
    const spentMs = first - context.getRemainingTimeInMillis();
    return { awsRequestId, functionName, memoryLimitInMB, functionVersion, first, spentMs };
  };`,
};

let api: ApiHost;

beforeAll(async () => {
  api = await startApiHost(TEMPLATE, SOURCES, { gatewayTimeoutMs: 500 });
});
afterAll(() => api.stop());

const echo = async (...args: Parameters<ApiHost['send']>) => {
  const answer = await api.send(...args);
  expect(answer.status).toBe(200);
  return (JSON.parse(answer.body) as { event: Record<string, never> }).event as Record<
    string,
    unknown
  >;
};

describe('the event of a request', () => {
  it('has every field of payload format 2.0 and no other', async () => {
    const event = await echo(
      'GET',
      '/orders/A%2B1?parameter1=value1&parameter1=value2&parameter2=a%20b+c',
      {
        Header1: 'value1',
        HEADER2: ['value1', 'value2'],
        Cookie: 'cookie1=a; cookie2=b',
        'User-Agent': 'agent',
        Host: 'shop.test',
        'X-Forwarded-For': '192.0.2.7',
      },
    );
    const port = new URL(api.url).port;
    expect(event).toEqual({
      version: '2.0',
      routeKey: 'GET /orders/{outTradeNo}',
      rawPath: '/orders/A+1',
      rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=a%20b+c',
      cookies: ['cookie1=a', 'cookie2=b'],
      headers: {
        header1: 'value1',
        header2: 'value1,value2',
        'user-agent': 'agent',
        host: 'shop.test',
        'content-length': '0',
        'x-forwarded-for': '192.0.2.7, 127.0.0.1',
        'x-forwarded-port': port,
        'x-forwarded-proto': 'http',
      },
      queryStringParameters: { parameter1: 'value1,value2', parameter2: 'a b c' },
      pathParameters: { outTradeNo: 'A+1' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'local',
        domainName: 'localhost',
        domainPrefix: 'localhost',
        http: {
          method: 'GET',
          path: '/orders/A+1',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'agent',
        },
        requestId: expect.stringMatching(/^[\w-]{15}=$/),
        routeKey: 'GET /orders/{outTradeNo}',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      isBase64Encoded: false,
    });
  });

  it('leaves out cookies, query, path parameters and body where there are none', async () => {
    const event = await echo('POST', '/login', { 'content-type': 'application/json' });
    for (const field of ['cookies', 'queryStringParameters', 'pathParameters', 'body']) {
      expect(event).not.toHaveProperty(field);
    }
    expect(event.rawQueryString).toBe('');
  });

  it.each([
    'application/json',
    'Application/JSON; charset=UTF-8',
    'text/xml',
    'text/plain',
    'application/xml',
    'application/javascript',
    'application/problem+json',
    'application/atom+xml',
  ])('carries a body declared as %s as text', async (contentType) => {
    const event = await echo('POST', '/login', { 'content-type': contentType }, '<xml>金额</xml>');
    expect(event).toMatchObject({ body: '<xml>金额</xml>', isBase64Encoded: false });
  });

  it.each([
    undefined,
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    'image/png',
  ])('carries a body declared as %s in base64', async (contentType) => {
    const headers: Record<string, string> =
      contentType === undefined ? {} : { 'content-type': contentType };
    const event = await echo('POST', '/login', headers, '<xml>金额</xml>');
    expect(event).toMatchObject({
      body: Buffer.from('<xml>金额</xml>').toString('base64'),
      isBase64Encoded: true,
    });
  });

  it('reads a chunked body and gives its length', async () => {
    const event = await echo(
      'POST',
      '/login',
      { 'transfer-encoding': 'chunked', 'content-type': 'text/plain' },
      'chunks',
    );
    expect(event.body).toBe('chunks');
    expect(event.headers).toMatchObject({ 'content-length': '6' });
    expect(event.headers).not.toHaveProperty('transfer-encoding');
  });
});

describe('routing', () => {
  it.each([
    ['GET', '/login'],
    ['POST', '/login/'],
    ['GET', '/orders/'],
    ['GET', '/orders/a/b'],
    ['POST', '/nowhere'],
    ['GET', '/'],
  ])('answers %s %s with 404, as no route has it', async (method, target) => {
    const answer = await api.send(method, target);
    expect(answer.status).toBe(404);
    expect(answer.body).toBe('{"message":"Not Found"}');
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('gives a greedy parameter the rest of the path, under any method', async () => {
    const event = await echo('DELETE', '/files/a/b%20c');
    expect(event).toMatchObject({
      routeKey: 'ANY /files/{proxy+}',
      pathParameters: { proxy: 'a/b c' },
    });
  });

  it('answers a path that cannot be decoded with 400', async () => {
    expect((await api.send('GET', '/orders/%zz')).status).toBe(400);
  });
});

describe('the answer', () => {
  const reply = (result: unknown) =>
    api.send('POST', '/reply', { 'content-type': 'application/json' }, JSON.stringify(result));

  it('is the status, headers, cookies and body of the result', async () => {
    const answer = await reply({
      statusCode: 201,
      headers: { 'X-Request-Id': 'r-1', 'content-type': 'text/xml' },
      cookies: ['a=1; Secure', 'b=2'],
      body: '<xml/>',
    });
    expect(answer).toMatchObject({ status: 201, body: '<xml/>' });
    expect(answer.headers).toMatchObject({
      'x-request-id': 'r-1',
      'content-type': 'text/xml',
      'set-cookie': ['a=1; Secure', 'b=2'],
      'content-length': '6',
    });
    expect(api.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/reply',
      statusCode: 201,
      requestId: 'r-1',
    });
  });

  it('is decoded from base64 when the result says so', async () => {
    const answer = await reply({ statusCode: 200, body: 'aGk=', isBase64Encoded: true });
    expect(answer.body).toBe('hi');
    expect(answer.headers['content-type']).toBe('text/plain;charset=UTF-8');
  });

  it('is the whole result as JSON with 200 when there is no statusCode', async () => {
    const answer = await reply({ anything: ['goes'] });
    expect(answer).toMatchObject({ status: 200, body: '{"anything":["goes"]}' });
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it.each([
    { statusCode: 'abc' },
    { statusCode: 200, body: { not: 'text' } },
    { statusCode: 200, headers: { 'bad name': 'x' } },
    { statusCode: 42 },
  ])('is 500 for the unusable result %j', async (result) => {
    expect(await reply(result)).toMatchObject({
      status: 500,
      body: '{"message":"Internal Server Error"}',
    });
  });

  it('is 500 without any detail when the function throws, and the log has the detail', async () => {
    const answer = await api.send('POST', '/boom');
    expect(answer).toMatchObject({ status: 500, body: '{"message":"Internal Server Error"}' });
    expect(api.output.find((line) => line.startsWith('boom'))).toContain('secret detail');
  });

  it('is 500 when the function runs into its own timeout', async () => {
    const startedAt = performance.now();
    const answer = await api.send('POST', '/slow');
    expect(answer).toMatchObject({ status: 500, body: '{"message":"Internal Server Error"}' });
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect(api.output.join('\n')).toContain('Task timed out after 0.20 seconds');
  });

  it('is 503 when the gateway stops waiting before the function does', async () => {
    const answer = await api.send('POST', '/patient');
    expect(answer).toMatchObject({ status: 503, body: '{"message":"Service Unavailable"}' });
  });

  it('is 413 for a body over 10 MB, and not for one of 10 MB', async () => {
    const limit = 10 * 1024 * 1024;
    const tooLarge = await api.send('POST', '/login', {}, Buffer.alloc(limit + 1));
    expect(tooLarge).toMatchObject({ status: 413, body: '{"message":"Request Entity Too Large"}' });
    const allowed = await api.send('POST', '/boom', {}, Buffer.alloc(limit));
    expect(allowed.status).toBe(500);
  });
});

describe('the context', () => {
  it('names the function and counts its time down', async () => {
    const answer = await api.send('GET', '/context');
    const context = JSON.parse(answer.body) as Record<string, number | string>;
    expect(context).toMatchObject({
      functionName: 'shop-local-context',
      memoryLimitInMB: '1024',
      functionVersion: '$LATEST',
    });
    expect(context.awsRequestId).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(context.first).toBeGreaterThan(3900);
    expect(context.first).toBeLessThanOrEqual(4000);
    expect(context.spentMs).toBeGreaterThanOrEqual(50);
  });

  it('keeps what the function prints out of the terminal and in its log', async () => {
    await api.send('GET', '/context');
    expect(api.output).toContain('context {"level":"INFO","message":"seen"}');
  });
});

describe('POST /_local/invoke/{function}', () => {
  const invoke = (name: string, body?: string, headers = {}) =>
    api.send('POST', `/_local/invoke/${name}`, headers, body);

  it('runs the function with the event and answers its result', async () => {
    const answer = await invoke('echo', '{"detail":{"a":1}}');
    expect(answer).toMatchObject({ status: 200, body: '{"event":{"detail":{"a":1}}}' });
  });

  it('gives an empty event when there is no body', async () => {
    expect((await invoke('echo')).body).toBe('{"event":{}}');
  });

  it('answers 500 with type and message when the function fails', async () => {
    const answer = await invoke('boom', '{}');
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'secret detail',
    });
  });

  it('answers 500 with Sandbox.Timedout when it takes too long', async () => {
    expect(JSON.parse((await invoke('slow', '{}')).body)).toMatchObject({
      errorType: 'Sandbox.Timedout',
    });
  });

  it('answers 404 for an unknown function and names those there are', async () => {
    const answer = await invoke('nothing', '{}');
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toEqual({
      error: {
        code: 'FUNCTION_NOT_FOUND',
        message: 'no function "nothing"; there are: echo, reply, boom, slow, patient, context',
      },
    });
  });

  it('answers 400 for an event that is not JSON, and 405 for a GET', async () => {
    expect((await invoke('echo', '{')).status).toBe(400);
    expect((await api.send('GET', '/_local/invoke/echo')).status).toBe(405);
  });

  it.each([
    { host: 'shop.example' },
    { host: '127.0.0.1.example' },
    { host: '127.0.0.1', origin: 'https://shop.example' },
    { host: '127.0.0.1', origin: 'null' },
  ])('refuses %j: it is for this machine only', async (headers) => {
    const answer = await invoke('echo', '{}', headers);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'FORBIDDEN' } });
  });

  it('accepts localhost and the loopback addresses with any port', async () => {
    for (const host of ['localhost', 'localhost:3000', '[::1]:3000', '127.0.0.1:1']) {
      expect((await invoke('echo', '{}', { host })).status).toBe(200);
    }
  });
});

describe('POST /_local/clock', () => {
  const move = (body: string) => api.send('POST', '/_local/clock', {}, body);

  it('moves the clock by whole seconds and answers the new time', async () => {
    const answer = await move('{"advanceSeconds":90}');
    expect(answer).toMatchObject({ status: 200, body: '{"now":"","offsetSeconds":90}' });
  });

  it.each([
    '{}',
    '{"advanceSeconds":-1}',
    '{"advanceSeconds":1.5}',
    '{"advanceSeconds":"60"}',
    'null',
  ])('refuses %s', async (body) => {
    const answer = await move(body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'INVALID_ADVANCE_SECONDS' } });
  });

  it('refuses what is not JSON', async () => {
    expect(JSON.parse((await move('advance')).body)).toMatchObject({
      error: { code: 'INVALID_JSON' },
    });
  });
});
