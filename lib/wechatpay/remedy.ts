/** What a refusal of WeChat's asks for, in words that hold for every API version. */
import {
  ConfigError,
  type Outcome,
  type ServiceError,
  WechatPayServiceError,
  type WhereToMend,
} from '../errors.ts';

/**
 * Who can do something about a refusal: the `owner` of the merchant account; nobody, but it passes
 * and the same may be asked again `later`; or `none`, because the order or the request is as it is.
 */
export type Remedy = 'owner' | 'later' | 'none';

/** Something that only the owner can mend, and where. */
export interface OwnersFault {
  readonly remedy: Extract<Remedy, 'owner'>;
  readonly fault: string;
  readonly where: Partial<WhereToMend>;
}

/** What a code or a text of WeChat's means. */
export type Meaning =
  | OwnersFault
  | { readonly remedy: Extract<Remedy, 'later'> }
  | { readonly remedy: Extract<Remedy, 'none'>; readonly about: 'order' | 'request' };

/** Passes by itself: WeChat may still have carried the request out, or wants it again. */
export const LATER: Meaning = { remedy: 'later' };
/** How the order is: for the operation to judge. */
export const ABOUT_THE_ORDER: Meaning = { remedy: 'none', about: 'order' };
/** The request is one that WeChat will never take. */
export const OUR_REQUEST: Meaning = { remedy: 'none', about: 'request' };

const ownersFault = (
  fault: string,
  secret: string,
  field: string,
  consolePage: string,
): OwnersFault => ({ remedy: 'owner', fault, where: { secret, field, consolePage } });

/** Faults whose names differ between the versions, and nothing else. */
export const OWNERS_FAULTS = {
  apiV2Key: ownersFault(
    'WeChat refuses our signature: apiV2Key is not the APIv2 key of this merchant',
    'merchant',
    'apiV2Key',
    '商户平台 → 账户中心 → API安全 → APIv2密钥',
  ),
  certificate: ownersFault(
    'WeChat refuses our signature: merchantPrivateKey and merchantSerialNo are not of one valid API certificate of this merchant',
    'merchant',
    'merchantPrivateKey, merchantSerialNo',
    '商户平台 → 账户中心 → API安全 → 商户API证书',
  ),
  serialNo: ownersFault(
    'WeChat knows no valid API certificate with merchantSerialNo',
    'merchant',
    'merchantSerialNo',
    '商户平台 → 账户中心 → API安全 → 商户API证书',
  ),
  mchid: ownersFault(
    'WeChat knows no such merchant',
    'merchant',
    'mchid',
    '商户平台 → 账户中心 → 商户信息',
  ),
  subMerchant: ownersFault(
    'WeChat refuses the sub-merchant: missing, unknown, or without a relation to this provider',
    'merchant',
    'subMchid',
    '服务商平台 → 服务商功能 → 特约商户管理',
  ),
  appid: ownersFault(
    'WeChat knows no such appid (spAppid, if the secret has one)',
    'mini-program',
    'appid',
    '微信公众平台 → 开发管理 → 开发设置 → AppID(小程序ID)',
  ),
  binding: ownersFault(
    'the appid (spAppid, if the secret has one) is not bound to this merchant',
    'mini-program, merchant',
    'appid, mchid',
    '商户平台 → 产品中心 → AppID账号管理',
  ),
  openid: ownersFault(
    'the buyers’ openid are not of the appid of the order',
    'mini-program, merchant',
    'appid, spAppid',
    '微信公众平台 → 开发管理 → 开发设置 → AppID(小程序ID)',
  ),
  permission: ownersFault(
    'the merchant has no permission for this product (JSAPI支付)',
    'merchant',
    'mchid',
    '商户平台 → 产品中心 → 我的产品 → JSAPI支付',
  ),
  restricted: ownersFault(
    'WeChat has restricted or closed the merchant account',
    'merchant',
    'mchid',
    '商户平台 → 账户中心 → 商户信息; 微信支付商家助手 → 风险处置',
  ),
  refundPermission: ownersFault(
    'the merchant may not refund by API, or the provider not for this sub-merchant',
    'merchant',
    'mchid, subMchid',
    '商户平台 → 产品中心 → 我的产品; 服务商平台 → 服务商功能 → 特约商户授权产品 → API退款',
  ),
  clientCertificate: ownersFault(
    'WeChat does not take the client certificate for this merchant; in service-provider mode it is the provider’s',
    'merchant',
    'merchantCertificate and merchantPrivateKey, or merchantP12',
    '商户平台 → 账户中心 → API安全 → 商户API证书',
  ),
  address: ownersFault(
    'the merchant allows calls from certain addresses only, and this one is not among them',
    'merchant',
    'mchid',
    '商户平台 → 账户中心 → API安全 → IP白名单',
  ),
} as const satisfies Readonly<Record<string, OwnersFault>>;

/** The longest text of WeChat's that is kept. */
const MAX_TEXT_LENGTH = 300;

/** A text of WeChat's, in one line and not too long, for the log. */
export function forTheLog(text: string, maxLength = MAX_TEXT_LENGTH): string {
  // oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}

/** WeChat's words; `unknown` unless it signed them. */
type Refused = Pick<WechatPayServiceError, 'outcome' | 'wechatCode' | 'wechatText'>;

/**
 * WeChat refuses what only the owner of the merchant account can mend: a key, a number, a binding,
 * a permission. Says nothing about an order.
 */
export class WechatPayConfigError extends ConfigError implements Refused {
  readonly outcome: Refused['outcome'];
  readonly wechatCode: string;
  readonly wechatText: string;

  constructor(fault: string, where: Partial<WhereToMend>, refused: Refused) {
    const said = [refused.wechatCode, refused.wechatText].filter(Boolean).join(': ');
    super(`${fault} (WeChat Pay answered ${said})`, undefined, where);
    this.outcome = refused.outcome;
    this.wechatCode = refused.wechatCode;
    this.wechatText = refused.wechatText;
  }
}

/** A refusal in WeChat's own words, and how far they are to be believed. */
interface Refusal {
  /** `unknown` unless WeChat signed it. */
  readonly outcome: Exclude<Outcome, 'not-sent'>;
  readonly code: string;
  readonly text: string;
}

/** The error that a refusal ends in; one without a known meaning is as lasting as it is proved. */
export function refusalError(
  { outcome, code, text }: Refusal,
  meaning: Meaning | undefined,
): ServiceError {
  switch (meaning?.remedy) {
    case 'owner':
      return new WechatPayConfigError(meaning.fault, meaning.where, {
        outcome,
        wechatCode: code,
        wechatText: text,
      });
    case 'later':
      return new WechatPayServiceError('unknown', code, text);
    case 'none': {
      // What is not proved of an order may be asked again.
      const isLasting = outcome === 'rejected' || meaning.about === 'request';
      return new WechatPayServiceError(outcome, code, text, isLasting);
    }
    default:
      return new WechatPayServiceError(outcome, code, text);
  }
}
