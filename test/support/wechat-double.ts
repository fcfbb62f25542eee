/**
 * WeChat Pay as the functions see it through the real v2 client: what was sent is kept, and what
 * is answered is signed by an independent implementation.
 */
import { WechatPayTransportError } from '../../lib/errors.ts';
import { openWechatPayV2 } from '../../lib/wechatpay/v2/index.ts';
import type { SignType } from '../../lib/order/stored-request.ts';
import type { Transport } from '../../lib/transport/transport.ts';
import type { WechatPayOf } from '../../lib/wechatpay/open.ts';
import { APPID, MCHID } from './sample-orders.ts';
import { merchantWith, secretVersions } from './secret-versions.ts';
import { API_V2_KEY, signed, type WireFields, xmlOf } from './v2-message.ts';
import { neverRuns } from './no-timer.ts';

/** One request as it reached WeChat. */
export interface SentRequest {
  readonly path: string;
  readonly body: string;
  readonly fields: WireFields;
}

/** Fields of WeChat's answer, to be signed; or an error of the connection. */
export type WechatAnswer = (request: SentRequest) => Promise<WireFields | Error>;

export interface WechatDouble {
  readonly wechatPay: WechatPayOf;
  readonly requests: SentRequest[];
}

export const accepted: WireFields = {
  return_code: 'SUCCESS',
  result_code: 'SUCCESS',
  appid: APPID,
  mch_id: MCHID,
  nonce_str: 'c4e8f0a7d8d945e1a3b9c1f2e3d4c5b6',
};

/** `prepay_id` of every order that this double creates. */
export const PREPAY_ID = 'wx01100000123456789abcdef0123456';

/** The answer to `unifiedorder` when nothing is wrong. */
export const createdOrder: WechatAnswer = async () => ({ ...accepted, prepay_id: PREPAY_ID });

/** A refusal with WeChat's own code and text. */
export const refused = (code: string, text = code): WireFields => ({
  ...accepted,
  result_code: 'FAIL',
  err_code: code,
  err_code_des: text,
});

/** The connection broke after the request was on its way: nobody knows what WeChat did. */
export const timedOut = () => new WechatPayTransportError('unknown', 'no answer in time');

/**
 * Opens the v2 client on the double.
 *
 * @param options `nonce` counts up unless it is given; `key` is what WeChat signs with.
 */
export function wechatDouble(
  answer: WechatAnswer = createdOrder,
  options: { signType?: SignType; nonce?: () => string; nowMs?: () => number; key?: string } = {},
): WechatDouble {
  const requests: SentRequest[] = [];
  let nonces = 0;
  const countUp = () => {
    nonces += 1;
    return `nonce${nonces}`;
  };
  const transport: Transport = async ({ path, body = '' }) => {
    const request = { path, body, fields: fieldsOf(body) };
    requests.push(request);
    const fields = await answer(request);
    if (fields instanceof Error) {
      throw fields;
    }
    const signType = request.fields['sign_type'] as SignType;
    const xml = xmlOf(signed(fields, options.key ?? API_V2_KEY, signType));
    return { statusCode: 200, headers: {}, body: Buffer.from(xml) };
  };
  const wechatPay = openWechatPayV2({
    merchant: secretVersions(merchantWith()),
    signType: options.signType ?? 'HMAC-SHA256',
    nonce: options.nonce ?? countUp,
    nowMs: options.nowMs ?? Date.now,
    startTimer: neverRuns,
    transport,
    openCertifiedTransport: () => transport,
  });
  return { wechatPay: () => wechatPay, requests };
}

/** Reads what the client writes: one element per field, each in CDATA. */
function fieldsOf(xml: string): WireFields {
  const elements = xml.matchAll(/<(\w+)><!\[CDATA\[([^]*?)\]\]><\/\1>/g);
  return Object.fromEntries([...elements].map(([, name = '', value = '']) => [name, value]));
}
