import { describe, expect, it } from 'vitest';
import {
  createCanonicalRequest,
  createSignature,
  type SignedRequest,
} from '../../../local/aws/sigv4.ts';

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const TIMESTAMP = '20150830T123600Z';
const SCOPE = { date: '20150830', region: 'us-east-1', service: 'service' };
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const UNRESERVED = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function requestOf(
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[] = [],
  body = '',
): SignedRequest {
  const [encodedPath = '', rawQueryString = ''] = target.split('?');
  const common = ['Host', 'example.amazonaws.com', 'X-Amz-Date', TIMESTAMP];
  const rawHeaders = [...headers.flat(), ...common];
  return { method, encodedPath, rawQueryString, rawHeaders, body: Buffer.from(body) };
}

/** AWS's own test suite for Signature Version 4 ("aws-sig-v4-test-suite"). */
describe("the requests of AWS's test suite have the signatures that AWS publishes", () => {
  it.each<[string, SignedRequest, string, string]>([
    [
      'get-vanilla',
      requestOf('GET', '/'),
      'host;x-amz-date',
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ],
    [
      'get-unreserved',
      requestOf('GET', `/${UNRESERVED}`),
      'host;x-amz-date',
      '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
    ],
    [
      'get-relative-relative',
      requestOf('GET', '/example1/example2/../..'),
      'host;x-amz-date',
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ],
    [
      'get-slash-pointless-dot',
      requestOf('GET', '/./example'),
      'host;x-amz-date',
      'ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5',
    ],
    [
      'get-slashes',
      requestOf('GET', '//example//'),
      'host;x-amz-date',
      '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
    ],
    [
      'get-vanilla-query-order-key-case',
      requestOf('GET', '/?Param2=value2&Param1=value1'),
      'host;x-amz-date',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'get-vanilla-query-order-encoded',
      requestOf('GET', '/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1'),
      'host;x-amz-date',
      '371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac',
    ],
    [
      'get-vanilla-query-unreserved',
      requestOf('GET', `/?${UNRESERVED}=${UNRESERVED}`),
      'host;x-amz-date',
      '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
    ],
    [
      'get-vanilla-utf8-query',
      requestOf('GET', '/?%E1%88%B4=bar'),
      'host;x-amz-date',
      '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
    ],
    [
      'get-header-key-duplicate',
      requestOf('GET', '/', [
        ['My-Header1', 'value2'],
        ['My-Header1', 'value2'],
        ['My-Header1', 'value1'],
      ]),
      'host;my-header1;x-amz-date',
      'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
    ],
    [
      'get-header-value-trim',
      requestOf('GET', '/', [
        ['My-Header1', ' value1'],
        ['My-Header2', ' "a   b   c"'],
      ]),
      'host;my-header1;my-header2;x-amz-date',
      'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
    ],
    [
      'post-vanilla',
      requestOf('POST', '/'),
      'host;x-amz-date',
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    ],
    [
      'post-x-www-form-urlencoded',
      requestOf(
        'POST',
        '/',
        [['Content-Type', 'application/x-www-form-urlencoded']],
        'Param1=value1',
      ),
      'content-type;host;x-amz-date',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ])('%s', (_, request, signedHeaders, signature) => {
    const canonicalRequest = createCanonicalRequest(request, signedHeaders.split(';'));

    expect(createSignature(canonicalRequest, TIMESTAMP, SCOPE, SECRET)).toBe(signature);
  });
});

describe('the canonical request', () => {
  it('encodes an encoded path once more', () => {
    const request = requestOf('GET', '/orders/A%2B1/refunds/R%7C2@x*');

    expect(createCanonicalRequest(request, ['host'])).toBe(
      `GET\n/orders/A%252B1/refunds/R%257C2%40x%2A\n\nhost:example.amazonaws.com\n\nhost\n${EMPTY}`,
    );
  });

  it('sorts repeated parameters by value and keeps those without one', () => {
    const request = requestOf('GET', '/?b=2&a=x%20y&b=1&&c&d=a=b&e=%zz');

    expect(createCanonicalRequest(request, ['host']).split('\n')[2]).toBe(
      'a=x%20y&b=1&b=2&c=&d=a%3Db&e=%25zz',
    );
  });
});
