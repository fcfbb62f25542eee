/** `GET /v3/certificates` (下载平台证书): encrypted with the API v3 key; not for merchants with a public key only. */
import { Aes } from 'wechatpay-axios-plugin';
import { formatRfc3339 } from '../book/clock.ts';
import { randomText } from '../book/random.ts';
import type { Service } from '../host/service.ts';
import { failV3, succeedV3, type V3Outcome } from './errors.ts';
import type { PlatformCertificate } from '../book/wechat-keys.ts';

const ASSOCIATED_DATA = 'certificate';

export function listCertificates(
  { keys, merchant, randomBytes }: Pick<Service, 'keys' | 'merchant' | 'randomBytes'>,
  algorithmType: string | null,
): V3Outcome {
  if (algorithmType !== null && !['RSA', 'SM2', 'ALL'].includes(algorithmType)) {
    return failV3('PARAM_ERROR', {
      text: 'algorithm_type参数错误',
      detail: { field: 'algorithm_type', location: 'query', value: algorithmType },
    });
  }
  const certificates = keys?.certificates() ?? [];
  if (keys?.mode() === 'public-key' || algorithmType === 'SM2' || certificates.length === 0) {
    return failV3('RESOURCE_NOT_EXISTS', {
      text: '无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。',
      note: 'a merchant of today has the WeChat Pay public key only (wechatpayPublicKey in merchant.json); for platform certificates: POST /_simulator/verification {"mode":"switching"}',
    });
  }
  return succeedV3({
    data: certificates.map((one) =>
      encrypt(one, merchant.apiV3Key ?? '', randomText(randomBytes, 12)),
    ),
  });
}

function encrypt(
  { serial, pem, effectiveAtMs, expiresAtMs }: PlatformCertificate,
  key: string,
  nonce: string,
) {
  return {
    effective_time: formatRfc3339(effectiveAtMs),
    encrypt_certificate: {
      algorithm: 'AEAD_AES_256_GCM',
      associated_data: ASSOCIATED_DATA,
      ciphertext: Aes.AesGcm.encrypt(pem, key, nonce, ASSOCIATED_DATA),
      nonce,
    },
    expire_time: formatRfc3339(expiresAtMs),
    serial_no: serial,
  };
}
