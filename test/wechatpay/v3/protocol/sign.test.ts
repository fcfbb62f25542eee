import { createPrivateKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  authorization,
  requestMessage,
  signRsa,
} from '../../../../lib/wechatpay/v3/protocol/sign.ts';
import { keyOf, type Vector, vectorsOf } from '../vectors.ts';

const requestOf = ({ method, url_line: path, body }: Vector) => ({ method, path, body });
const privateKeyOf = ({ key }: Vector) => createPrivateKey(keyOf(key).pem_private);

describe('a request is signed', () => {
  const signed = vectorsOf('request_sign');

  test('by known answers of WeChat and other implementations', () => {
    expect(signed.length).toBeGreaterThanOrEqual(5);
  });

  test.each(signed)('as in $id', (vector) => {
    const message = requestMessage(requestOf(vector), vector.timestamp, vector.nonce_str);

    expect(message).toBe(vector.message);
    expect(signRsa(message, privateKeyOf(vector))).toBe(vector.expected_signature);
  });

  test.each(vectorsOf('canonical_message'))('over the text of $id', (vector) => {
    expect(requestMessage(requestOf(vector), vector.timestamp, vector.nonce_str)).toBe(
      vector.message,
    );
  });

  test.each(vectorsOf('raw_sign'))('with PKCS#8 and PKCS#1 keys alike: $id', (vector) => {
    expect(signRsa(vector.message, privateKeyOf(vector))).toBe(vector.expected_signature);
  });

  test('and says so in one header of five quoted parts', () => {
    const [vector] = signed;
    if (!vector) {
      throw new Error('no vector');
    }
    const { mchid, serial_no: serialNo } = keyOf(vector.key);
    const signer = { mchid, serialNo, privateKey: privateKeyOf(vector) };
    const stamp = { timestamp: vector.timestamp, nonce: vector.nonce_str };

    expect(authorization(requestOf(vector), signer, stamp)).toBe(
      `WECHATPAY2-SHA256-RSA2048 mchid="${mchid}",nonce_str="${vector.nonce_str}",timestamp="${vector.timestamp}",serial_no="${serialNo}",signature="${vector.expected_signature}"`,
    );
  });
});
