/** The simulator's encryption, and the tests' own decryption and signatures, against published values. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encryptRefund } from '../../../simulator/notifications/refund-notice.ts';
import { openResource, rsaSign, stringOf } from '../v3-support.ts';
import { tenpayUtil } from '../support.ts';

interface Vector {
  readonly id: string;
  readonly [name: string]: string;
}
const FILE = JSON.parse(readFileSync('test/vectors/v3.json', 'utf8')) as {
  vectors: Vector[];
  keys: Record<string, { pem_private: string }>;
};
const vector = (id: string) => FILE.vectors.find((one) => one.id === id) as Vector;
const key = FILE.keys['doc_test_merchant']?.pem_private ?? '';

test('req_info is encrypted as in a real refund notification', async () => {
  const {
    api_v2_key: apiV2Key = '',
    req_info: reqInfo,
    expected_plaintext: xml = '',
  } = vector('v2-refund-req-info');
  const inner = await tenpayUtil.parseXML(xml.replaceAll('root>', 'xml>'));
  expect(encryptRefund({ kind: 'refund-v2', fields: {}, inner, apiV2Key })).toBe(reqInfo);
});

test('a resource of the Java SDK is opened', () => {
  const {
    ciphertext = '',
    nonce = '',
    associated_data: aad = '',
    ...rest
  } = vector('java-aes256gcm-message');
  expect(openResource({ ciphertext, nonce, associated_data: aad }, rest['apiv3_key'] ?? '')).toBe(
    rest['expected_plaintext'],
  );
});

test.each(['req-post-jsapi', 'req-get-empty-body', 'req-get-query-weird'])(
  'the request of the documentation %s is signed',
  (id) => {
    const {
      method = '',
      url_line: url = '',
      timestamp = '',
      nonce_str: nonce = '',
      body = '',
    } = vector(id);
    const message = stringOf({ method, url, timestamp, nonce, body });
    expect(message).toBe(vector(id)['message']);
    expect(rsaSign(message, key)).toBe(vector(id)['expected_signature']);
  },
);

test('the paySign of the documentation is made', () => {
  const { message = '', expected_signature: expected } = vector('paysign-jsapi-miniprogram');
  expect(rsaSign(message, key)).toBe(expected);
});
