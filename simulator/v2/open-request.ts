/** Everything that the pay API checks before an operation runs: XML, merchant, signature, appid. */
import type { MerchantV2, SubMerchant } from '../book/credentials.ts';
import type { Request } from '../host/http.ts';
import type { Message } from '../host/messages.ts';
import { fail, failAtGateway, failAtGatewayWith, type Outcome } from './errors.ts';
import { readTermsV2, type SignType } from '../book/order-terms.ts';
import { describeSubMerchant } from './trade-fields.ts';
import type { Service } from '../host/service.ts';
import {
  decodeUtf8,
  type Fields,
  judgeFields,
  MalformedXmlError,
  parseXml,
  parseXmlKeepingBlanks,
} from './wire.ts';

type Opened = { signType: SignType; subMerchant: Fields } & (
  | { fields: Fields }
  | { refused: Outcome }
);

/** Reads and verifies; a refusal says with which algorithm it is to be signed. The report goes into `message`. */
export function openRequest(
  service: Pick<Service, 'merchant' | 'account'>,
  request: Request,
  message: Message,
  { isSubMerchantOptional = false } = {},
): Opened {
  const { merchant, account } = service;
  let text = '';
  let fields: Fields;
  try {
    text = readText(request);
    fields = parseXml(text);
  } catch (error) {
    if (error instanceof MalformedXmlError) {
      const isJson = text.trimStart().startsWith('{');
      const hint = isJson ? '; it is JSON, for API v3: POST /v3/pay/transactions/jsapi' : '';
      const refused = failAtGatewayWith(error.code, `${error.message}${hint}`);
      return { signType: 'MD5', subMerchant: {}, refused };
    }
    throw error;
  }
  const declared = fields['sign_type'];
  const signType: SignType = declared === 'HMAC-SHA256' ? 'HMAC-SHA256' : 'MD5';
  const refused =
    refuseStranger(fields, merchant) ??
    verifySignature(service, fields, signType, text, message) ??
    refuseHeader(fields, merchant) ??
    refuseSubMerchant(fields, account.subMerchants(), isSubMerchantOptional);
  const subMerchant = describeSubMerchant(readTermsV2(fields));
  return { signType, subMerchant, ...(refused ? { refused } : { fields }) };
}

function readText(request: Request): string {
  if (request.method !== 'POST') {
    throw new MalformedXmlError('REQUIRE_POST_METHOD', `${request.method} instead of POST`);
  }
  if (request.tooLarge) {
    throw new MalformedXmlError('XML_FORMAT_ERROR', 'the body is larger than 64 kB');
  }
  return decodeUtf8(request.body);
}

/** What makes verification impossible. */
function refuseStranger(fields: Fields, merchant: MerchantV2): Outcome | undefined {
  const { mch_id: mchId, sign_type: signType } = fields;
  if (!mchId) {
    return failAtGateway('mch_id参数格式错误', 'LACK_PARAMS: mch_id is missing');
  }
  if (mchId !== merchant.mchid) {
    return failAtGatewayWith('MCHID_NOT_EXIST', `this simulator knows only ${merchant.mchid}`);
  }
  return signType && signType !== 'MD5' && signType !== 'HMAC-SHA256'
    ? failAtGatewayWith('SIGNERROR', 'sign_type must be exactly MD5 or HMAC-SHA256')
    : undefined;
}

function verifySignature(
  { merchant }: Pick<Service, 'merchant'>,
  { sign, ...fields }: Fields,
  signType: SignType,
  text: string,
  message: Message,
): Outcome | undefined {
  message.signature = judgeFields({
    fields,
    received: sign,
    declaredSignType: fields['sign_type'],
    signType,
    key: merchant.apiV2Key,
    otherKeys: {
      'the API v3 key': merchant.apiV3Key,
      'the appSecret of the mini-program': merchant.appSecret,
      'the mch_id': merchant.mchid,
    },
    readUntrimmed: () => parseXmlKeepingBlanks(text),
  });
  const { result, reason } = message.signature;
  return result === 'valid' ? undefined : failAtGatewayWith('SIGNERROR', reason);
}

/** What every operation needs besides. */
function refuseHeader(fields: Fields, merchant: MerchantV2): Outcome | undefined {
  const { appid, nonce_str: nonce } = fields;
  if (!appid || !nonce) {
    return failAtGateway('缺少参数', `LACK_PARAMS: ${appid ? 'nonce_str' : 'appid'} is missing`);
  }
  if (appid !== merchant.appid) {
    return fail('APPID_NOT_EXIST');
  }
  return nonce.length > 32 ? fail('INVALID_REQUEST', 'nonce_str参数长度有误') : undefined;
}

/** A service provider (服务商) speaks for a sub-merchant in every call but those about all of them; others never do. */
function refuseSubMerchant(
  fields: Fields,
  subMerchants: readonly SubMerchant[],
  isOptional: boolean,
): Outcome | undefined {
  const { sub_mch_id: subMchId, sub_appid: subAppid } = fields;
  if (!subMchId) {
    return subMerchants.length > 0 && !isOptional
      ? failAtGateway('受理机构必须传入sub_mch_id')
      : undefined;
  }
  const sub = subMerchants.find(({ subMchid }) => subMchid === subMchId);
  if (!sub) {
    return fail('INVALID_REQUEST', '受理关系不存在');
  }
  return subAppid && subAppid !== sub.subAppid
    ? fail('INVALID_REQUEST', 'sub_mch_id与sub_appid不匹配')
    : undefined;
}
