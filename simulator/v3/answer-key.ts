/** What a developer should know when WeChat signed with another key than the request named in `Wechatpay-Serial`. */
import type { SigningKey, VerificationMode } from '../book/wechat-keys.ts';
import { type Cause, UNNAMED_PUBLIC_KEY } from '../explain/report.ts';

/** Undefined when the client can verify the answer, as far as its request tells. */
export function explainAnswerKey(
  mode: VerificationMode,
  named: string | undefined,
  { serial, name }: SigningKey,
): Cause | undefined {
  if (named === serial || named?.toUpperCase() === serial) {
    return undefined;
  }
  const isPublicKey = name === 'WeChat Pay public key';
  if (isPublicKey) {
    return explainPublicKey(named, serial);
  }
  return named === undefined ? undefined : explainCertificate(mode, named, serial);
}

/** The merchant has no platform certificate: a client that trusts only one is lost. */
function explainPublicKey(named: string | undefined, serial: string): Cause {
  const shown = named?.slice(0, 80);
  const zhNamed = shown === undefined ? '没有指定密钥' : `指定的是 ${shown}`;
  return {
    code: UNNAMED_PUBLIC_KEY,
    en:
      `signed by the WeChat Pay public key ${serial}, as for every merchant of today (verification mode public-key); ` +
      `the request named ${shown ?? 'no key'} in Wechatpay-Serial. A client that has only a platform certificate cannot verify this: ` +
      'give it wechatpayPublicKeyId and wechatpayPublicKey of merchant.json, or ' +
      'POST /_simulator/verification {"mode":"switching"} for a merchant with both',
    zh:
      `应答由微信支付公钥 ${serial} 签名（verification 为 public-key，新商户均如此）；请求头 Wechatpay-Serial ${zhNamed}。` +
      '只有平台证书的客户端无法验签：请配置 merchant.json 中的 wechatpayPublicKeyId 与 wechatpayPublicKey，' +
      '或 POST /_simulator/verification {"mode":"switching"}，使商户两者兼有',
  };
}

function explainCertificate(mode: VerificationMode, named: string, serial: string): Cause {
  const why =
    mode === 'certificate'
      ? ['"start replacing" has not been pressed (verification mode certificate)', '尚未开始更换']
      : ['WeChat has no such key (verification mode switching)', '微信支付没有这个密钥'];
  const shown = named.slice(0, 80);
  return {
    code: 'CERTIFICATE_NOT_NAMED',
    en: `signed by the platform certificate ${serial}; the request named ${shown} in Wechatpay-Serial, but ${why[0]}. A client without this certificate cannot verify it: GET /v3/certificates has it`,
    zh: `应答由平台证书 ${serial} 签名；请求头 Wechatpay-Serial 指定的是 ${shown}，但${why[1]}（verification 为 ${mode}）。没有该证书的客户端无法验签：可由 GET /v3/certificates 下载`,
  };
}
