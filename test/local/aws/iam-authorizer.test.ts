import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { installClock, type LocalClock } from '../../../local/clock/clock.ts';
import { type SigningOptions, signHeaders } from '../../support/sigv4-client.ts';
import { type Answer, type ApiHost, startApiHost } from './api-host.ts';

const TEMPLATE = `
service: shop
provider: { memorySize: 512, timeout: 5 }
functions:
  refund:
    handler: index.handler
    events:
      - httpApi: { method: POST, path: '/orders/{outTradeNo}/refunds', authorizer: { type: aws_iam } }
      - httpApi: { method: GET, path: '/orders/{outTradeNo}/refunds/{outRefundNo}', authorizer: { type: aws_iam } }
      - httpApi: GET /open
`;
const BODY = '{"refundFen":100,"reason":"破损"}';
const PATH = '/orders/A1/refunds';
const REAL_NOW = Date.now;

let api: ApiHost;
let clock: LocalClock | undefined;

beforeAll(async () => {
  api = await startApiHost(TEMPLATE, {
    refund: 'export const handler = async (event) => ({ event });',
  });
});
afterEach(() => {
  clock?.uninstall();
  clock = undefined;
});
afterAll(() => api.stop());

const post = async (options: SigningOptions = {}, change: Record<string, string> = {}) => {
  const headers = { 'content-type': 'application/json', ...options.headers };
  const signed = await signHeaders(`${api.url}${PATH}`, 'POST', BODY, { ...options, headers });
  return api.send('POST', PATH, { ...signed, ...change }, BODY);
};

const eventOf = ({ status, body }: Answer) => {
  expect({ status, body }).toMatchObject({ status: 200 });
  return (JSON.parse(body) as { event: Record<string, Record<string, unknown>> }).event;
};

/** Why API Gateway's own 403 was answered, which only the terminal tells. */
const refusalOf = (answer: Answer) => {
  expect(answer).toMatchObject({
    status: 403,
    headers: { 'content-type': 'application/json', 'apigw-requestid': expect.any(String) },
    body: '{"message":"Forbidden"}',
  });
  expect(answer.headers).not.toHaveProperty('x-amzn-errortype');
  return api.requests.at(-1)?.refusal;
};

describe('a request that the AWS SDK signs', () => {
  it('reaches the function, which learns who called', async () => {
    const event = eventOf(await post());

    expect(event).toMatchObject({ routeKey: 'POST /orders/{outTradeNo}/refunds', body: BODY });
    expect(event['requestContext']?.['authorizer']).toEqual({
      iam: {
        accessKey: 'local',
        accountId: '000000000000',
        callerId: 'AIDALOCAL',
        cognitoIdentity: null,
        principalOrgId: 'o-locallocal',
        userArn: 'arn:aws:iam::000000000000:user/local',
        userId: 'AIDALOCAL',
      },
    });
  });

  it('passes with an encoded path, a query and repeated parameters', async () => {
    const target = '/orders/A%2B1/refunds/R%7C2@x*?b=2&b=1&a=x%20y%2Bz&c=';
    const headers = await signHeaders(`${api.url}${target}`, 'GET', undefined);

    expect(eventOf(await api.send('GET', target, headers))['pathParameters']).toEqual({
      outTradeNo: 'A+1',
      outRefundNo: 'R|2@x*',
    });
  });

  it('passes without the hash of its body in a header', async () => {
    const headers = signByHand();

    expect(Object.keys(headers)).toEqual(['host', 'x-amz-date', 'authorization']);
    expect((await api.send('POST', PATH, headers, BODY)).status).toBe(200);
  });

  it('passes when its body comes in chunks', async () => {
    const headers = await signHeaders(`${api.url}${PATH}`, 'POST', BODY);

    expect(await sendInChunks(headers)).toBe(200);
  });

  it('passes with another spelling of header names, and with headers that it did not sign', async () => {
    const { authorization = '', ...others } = await signHeaders(`${api.url}${PATH}`, 'POST', BODY);
    const headers = { AUTHORIZATION: authorization, ...others, 'x-trace': 'a' };

    expect((await api.send('POST', PATH, headers, BODY)).status).toBe(200);
  });
});

describe('a request that is not signed as AWS demands is 403, and does not say why', () => {
  it('without a signature', async () => {
    expect(refusalOf(await api.send('POST', PATH, {}, BODY))).toBe('Missing Authentication Token');
  });

  it('with a token of a buyer in its place', async () => {
    const answer = await api.send('POST', PATH, { authorization: 'Bearer abc' }, BODY);

    expect(refusalOf(answer)).toMatch(/requires 'Credential' parameter/);
  });

  it.each<[string, SigningOptions, RegExp]>([
    ['with another secret', { secretAccessKey: 'other' }, /signature we calculated does not match/],
    ['with another key', { accessKeyId: 'AKIDEXAMPLE' }, /^The security token included .* invalid/],
    ['with a session token', { sessionToken: 'token' }, /^The security token included .* invalid/],
    ['for another region', { region: 'cn-north-1' }, /valid region, not 'cn-north-1'/],
    ['for another service', { service: 'dynamodb' }, /correct service: 'execute-api'/],
    ['six minutes ago', { date: new Date(REAL_NOW() - 360_000) }, /^Signature expired: /],
    ['in six minutes', { date: new Date(REAL_NOW() + 360_000) }, /^Signature not yet current: /],
  ])('%s', async (_, options, reason) => {
    expect(refusalOf(await post(options))).toMatch(reason);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a date that is none', { 'x-amz-date': 'yesterday' }, /'X-Amz-Date' header/],
    [
      'another day than the key is for',
      { 'x-amz-date': '20150830T123600Z' },
      /does not match YYYY/,
    ],
    ['another type of content', { 'content-type': 'text/plain' }, /does not match/],
    ['another host', { host: 'shop.test' }, /does not match/],
    ['a hash that is not its body’s', { 'x-amz-content-sha256': 'a'.repeat(64) }, /does not match/],
  ])('with %s', async (_, change, reason) => {
    expect(refusalOf(await post({}, change))).toMatch(reason);
  });

  it('with another body than was signed', async () => {
    const headers = await signHeaders(`${api.url}${PATH}`, 'POST', BODY);

    const altered = BODY.replace('100', '999');
    expect(refusalOf(await api.send('POST', PATH, headers, altered))).toMatch(/does not match/);
  });

  it('with the signature for another order', async () => {
    const headers = await signHeaders(`${api.url}/orders/A2/refunds`, 'POST', BODY);

    expect(refusalOf(await api.send('POST', PATH, headers, BODY))).toMatch(/does not match/);
  });

  it('with a body that its signature leaves open', async () => {
    const answer = await post({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });

    expect(refusalOf(answer)).toMatch(/does not match/);
  });

  it.each(['Credential', 'SignedHeaders', 'Signature'])('without %s', async (name) => {
    const { authorization = '' } = await signHeaders(`${api.url}${PATH}`, 'POST', BODY);
    const without = authorization.replace(new RegExp(`${name}=[^,]*`), 'Other=1');

    expect(refusalOf(await post({}, { authorization: without }))).toMatch(
      `requires '${name}' parameter`,
    );
  });

  it.each([
    ['aws4_request', 'aws4_other', /valid terminator/],
    ['aws4_request', 'aws4_request/more', /valid terminator/],
    ['host;', '', /'host' must be a 'SignedHeader'/],
    [';x-amz-date', '', /'x-amz-date' must be a 'SignedHeader'/],
  ])('with %s as "%s"', async (part, replacement, reason) => {
    const { authorization = '', ...headers } = await signHeaders(`${api.url}${PATH}`, 'POST', BODY);
    const changed = { ...headers, authorization: authorization.replace(part, replacement) };

    expect(authorization).toContain(part);
    expect(refusalOf(await api.send('POST', PATH, changed, BODY))).toMatch(reason);
  });

  it('with two signatures', async () => {
    const { authorization = '', ...headers } = await signHeaders(`${api.url}${PATH}`, 'POST', BODY);
    const twice = { ...headers, authorization: [authorization, authorization] };

    expect(refusalOf(await api.send('POST', PATH, twice, BODY))).toMatch(/requires 'Credential'/);
  });
});

it('the real time counts, also while the clock of the stack is moved by a day', async () => {
  clock = installClock(86_400);

  expect((await post({ date: new Date(REAL_NOW()) })).status).toBe(200);
  expect(refusalOf(await post({ date: new Date() }))).toMatch(/^Signature not yet current: /);
});

it('a route without the authorizer is open to all', async () => {
  const event = eventOf(await api.send('GET', '/open'));

  expect(event['requestContext']).not.toHaveProperty('authorizer');
});

describe('curl --aws-sigv4', () => {
  const curl = async (user: string, ...more: string[]) => {
    const signing = ['--aws-sigv4', 'aws:amz:us-east-1:execute-api', '--user', user];
    const output = ['--silent', '--write-out', '\n%{http_code}'];
    const { stdout } = await promisify(execFile)('curl', [...signing, ...output, ...more]);
    return stdout;
  };

  it('is let in with local:local, with a body and without', async () => {
    const json = ['--header', 'content-type: application/json'];
    const posted = await curl('local:local', ...json, '--data', BODY, `${api.url}${PATH}`);

    expect(posted).toMatch(/\n200$/);
    expect(JSON.parse(posted.split('\n')[0] ?? '').event.body).toBe(BODY);
    expect(await curl('local:local', `${api.url}${PATH}/R1`)).toMatch(/\n200$/);
  });

  it('is refused with another key', async () => {
    expect(await curl('local:other', '--data', BODY, `${api.url}${PATH}`)).toBe(
      '{"message":"Forbidden"}\n403',
    );
  });
});

/** As a client signs that sends nothing of the SDK's own but the date. */
function signByHand(): Record<string, string> {
  const date = new Date(REAL_NOW()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const { host } = new URL(api.url);
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest();
  const scope = `${date.slice(0, 8)}/us-east-1/execute-api/aws4_request`;
  const canonical = `POST\n${PATH}\n\nhost:${host}\nx-amz-date:${date}\n\nhost;x-amz-date\n${hash(BODY)}`;
  const key = scope.split('/').reduce<string | Buffer>(hmac, 'AWS4local');
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash(canonical)}`);
  return {
    host,
    'x-amz-date': date,
    authorization: `AWS4-HMAC-SHA256 Credential=local/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature.toString('hex')}`,
  };
}

function sendInChunks(headers: Record<string, string>): Promise<number | undefined> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { hostname, port, method: 'POST', path: PATH, headers, agent: false },
      (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      },
    );
    outgoing.on('error', reject);
    outgoing.write(BODY.slice(0, 10));
    setTimeout(() => outgoing.end(BODY.slice(10)), 20);
  });
}
