/**
 * A merchant's side of API v3 written from WeChat Pay's documentation with `node:crypto` alone: it
 * shares nothing with the simulator, which signs and encrypts with `wechatpay-axios-plugin`.
 */
import { createDecipheriv, randomBytes, sign, verify, X509Certificate } from 'node:crypto';
import { expect } from 'vitest';
import type { Bench } from './support.ts';

export type Json = Record<string, unknown>;

export interface V3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

export interface V3Options {
  readonly mchid?: string;
  readonly serialNo?: string;
  readonly privateKey?: string;
  readonly timestamp?: string;
  /** Of the five in Authorization. */
  readonly fieldOrder?: readonly string[];
  /** `undefined` removes a header. */
  readonly headers?: Record<string, string | undefined>;
  /** What is signed, when it is not what is sent. */
  readonly stringToSign?: (parts: StringParts) => string;
  readonly signature?: (message: string, privateKey: string) => string;
}

export interface StringParts {
  readonly method: string;
  readonly url: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly body: string;
}

export const stringOf = ({ method, url, timestamp, nonce, body }: StringParts) =>
  `${method}\n${url}\n${timestamp}\n${nonce}\n${body}\n`;

export const rsaSign = (message: string | Buffer, privateKey: string, algorithm = 'sha256') =>
  sign(algorithm, Buffer.from(message), privateKey).toString('base64');

export const nowSeconds = () => Math.floor(Date.now() / 1000).toString();

/** One signed call; a string as body is sent as it is. */
export async function callV3(
  { merchant, simulator }: Pick<Bench, 'merchant' | 'simulator'>,
  method: string,
  url: string,
  content?: unknown,
  options: V3Options = {},
): Promise<V3Answer> {
  const body = content === undefined ? '' : toText(content);
  const timestamp = options.timestamp ?? nowSeconds();
  const nonce = randomBytes(16).toString('hex').toUpperCase();
  const message = (options.stringToSign ?? stringOf)({ method, url, timestamp, nonce, body });
  const signature = (options.signature ?? rsaSign)(
    message,
    options.privateKey ?? merchant.merchantPrivateKey,
  );
  const fields: Record<string, string> = {
    mchid: options.mchid ?? merchant.mchid,
    nonce_str: nonce,
    signature,
    timestamp,
    serial_no: options.serialNo ?? merchant.merchantSerialNo,
  };
  const order = options.fieldOrder ?? Object.keys(fields);
  const values = order.map((name) => `${name}="${fields[name]}"`);
  const headers: Record<string, string | undefined> = {
    authorization: `WECHATPAY2-SHA256-RSA2048 ${values.join(',')}`,
    accept: 'application/json',
    'content-type': 'application/json',
    'user-agent': 'test',
    ...options.headers,
  };
  const response = await fetch(simulator.url + url, {
    method,
    headers: Object.entries(headers).filter(
      (header): header is [string, string] => header[1] !== undefined,
    ),
    ...(method === 'GET' ? {} : { body }),
  });
  const text = await response.text();
  const json = text === '' ? {} : (JSON.parse(text) as Json);
  return { status: response.status, headers: response.headers, text, json };
}

const toText = (content: unknown) =>
  typeof content === 'string' ? content : JSON.stringify(content);

/** A new order of 2800 fen for alice. */
export async function orderBody(
  bench: Bench,
  outTradeNo: string,
  changes: Json = {},
): Promise<Json> {
  const { merchant, shop } = bench;
  const body = {
    appid: merchant.appid,
    mchid: merchant.mchid,
    description: '测试店-拿铁',
    out_trade_no: outTradeNo,
    notify_url: shop.notifyUrl,
    amount: { total: 2800, currency: 'CNY' },
    payer: { openid: await bench.openidOf('alice') },
    ...changes,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

export const JSAPI = '/v3/pay/transactions/jsapi';

export async function placeV3(
  bench: Bench,
  outTradeNo: string,
  changes?: Json,
  options?: V3Options,
) {
  return callV3(bench, 'POST', JSAPI, await orderBody(bench, outTradeNo, changes), options);
}

export const queryV3 = async (bench: Bench, outTradeNo: string) =>
  callV3(
    bench,
    'GET',
    `/v3/pay/transactions/out-trade-no/${outTradeNo}?mchid=${bench.merchant.mchid}`,
  );

/** Parameters of wx.requestPayment, signed as the documentation says. */
export function paymentOf(bench: Bench, prepayId: unknown, privateKey?: string) {
  const { merchant } = bench;
  const timeStamp = nowSeconds();
  const nonceStr = randomBytes(16).toString('hex');
  const pack = `prepay_id=${String(prepayId)}`;
  const message = `${merchant.appid}\n${timeStamp}\n${nonceStr}\n${pack}\n`;
  const paySign = rsaSign(message, privateKey ?? merchant.merchantPrivateKey);
  return { timeStamp, nonceStr, package: pack, signType: 'RSA', paySign };
}

/** Places an order and pays it by phone. */
export async function payV3(bench: Bench, outTradeNo: string, changes?: Json) {
  const { json } = await placeV3(bench, outTradeNo, changes);
  const payment = { user: 'alice', ...paymentOf(bench, json['prepay_id']) };
  const { body } = await bench.control('POST', '/request-payment', payment);
  expect(body).toEqual({ errMsg: 'requestPayment:ok' });
}

type HeaderSource = Headers | Record<string, string | string[] | undefined>;

const readHeader = (headers: HeaderSource, name: string) =>
  headers instanceof Headers ? (headers.get(name) ?? '') : String(headers[name] ?? '');

/** Whether the signature in the headers fits this body under this public key or certificate. */
export function isSignedBy(key: string, headers: HeaderSource, body: string): boolean {
  const read = (name: string) => readHeader(headers, `wechatpay-${name}`);
  const publicKey = key.includes('CERTIFICATE') ? new X509Certificate(key).publicKey : key;
  return verify(
    'sha256',
    Buffer.from(`${read('timestamp')}\n${read('nonce')}\n${body}\n`),
    publicKey,
    Buffer.from(read('signature'), 'base64'),
  );
}

export interface Resource {
  readonly ciphertext: string;
  readonly nonce: string;
  readonly associated_data: string;
}

/** AEAD_AES_256_GCM with the tag checked. */
export function openResource(resource: Resource, apiV3Key: string): string {
  const bytes = Buffer.from(resource.ciphertext, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', apiV3Key, resource.nonce, { authTagLength: 16 });
  decipher.setAAD(Buffer.from(resource.associated_data));
  decipher.setAuthTag(bytes.subarray(-16));
  return decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8');
}
