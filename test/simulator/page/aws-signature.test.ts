import { expect, test } from 'vitest';
import { judgeSignature } from '../../../local/aws/iam-authorizer.ts';
import { signAwsRequest } from '../../../simulator/page/aws-signature.ts';

/** The request of AWS's own suite (`get-vanilla`), with its key. */
test('a request is signed as in AWS’s test suite', () => {
  const signer = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    region: 'us-east-1',
    service: 'service',
  };
  const request = {
    method: 'GET',
    host: 'example.amazonaws.com',
    path: '/',
    body: Buffer.alloc(0),
  };

  expect(signAwsRequest(request, signer, Date.UTC(2015, 7, 30, 12, 36))).toEqual({
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  });
});

test.each(['/orders/no_1-2/refunds', '/orders/no%7C1%2A/refunds/a%40b'])(
  'a request for %s is one that the local stack takes',
  (path) => {
    const signer = {
      accessKeyId: 'local',
      secretAccessKey: 'local',
      region: 'us-east-1',
      service: 'execute-api',
    };
    const nowMs = Date.UTC(2026, 2, 1);
    const body = Buffer.from('{"refundFen":1}');
    const host = '127.0.0.1:3000';
    const headers = signAwsRequest({ method: 'POST', host, path, body }, signer, nowMs);
    const rawHeaders = Object.entries({ host, ...headers }).flat();
    const sent = { method: 'POST', encodedPath: path, rawQueryString: '', rawHeaders };

    expect(judgeSignature({ ...sent, body }, nowMs)).toMatchObject({ kind: 'allowed' });
    expect(judgeSignature({ ...sent, body: Buffer.from('{}') }, nowMs).kind).toBe('refused');
  },
);
