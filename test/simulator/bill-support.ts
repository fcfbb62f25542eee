/** A merchant with a past: payments and refunds at moments that a test chooses, and the bills of those days. */
import { gunzipSync } from 'node:zlib';
import type { RawRequest, Reply } from '../../simulator/host/http.ts';
import { createMerchant } from '../../simulator/create-merchant.ts';
import type { Credentials, SubMerchant } from '../../simulator/book/credentials.ts';
import { type OpenSimulator, openSimulator } from '../../simulator/start.ts';
import { machine } from '../../simulator/surroundings/machine.ts';
import { type Fields, sign, tenpayUtil } from './support.ts';
import { rsaSign, stringOf } from './v3-support.ts';

/** Noon of 2026-11-24 in Beijing. */
const NOON = Date.parse('2026-11-24T12:00:00+08:00');

export type Json = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface Shop {
  readonly mchid: string;
  readonly appid: string;
  /** Moves WeChat's clock, and everybody's, to that moment. */
  at(time: string): void;
  /** An order of v2 that is paid now. */
  pay(outTradeNo: string, totalFen?: number, fields?: Fields): Promise<void>;
  refund(
    outTradeNo: string,
    outRefundNo: string,
    refundFen: number,
    totalFen?: number,
  ): Promise<void>;
  control(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }>;
  v2(path: string, fields: Record<string, string>, key?: string): Promise<Answer>;
  v3(url: string, changes?: Partial<RawRequest>): Promise<Answer>;
  billV2(fields?: Record<string, string>, key?: string): Promise<Answer>;
  /** The question, and the file behind its link. */
  billV3(query?: string): Promise<{ question: Json; file: Answer }>;
  /** The key that the merchant verifies answers with. */
  readonly wechatpayKey: string;
  raw(request: RawRequest): Promise<Reply>;
  stop(): Promise<void>;
}

let credentials: Promise<Credentials> | undefined;

/** Without a socket, on a clock that stands still. */
export async function openBillShop(
  subMerchants: readonly SubMerchant[] = [],
  startMs = NOON,
): Promise<Shop> {
  credentials ??= createMerchant();
  const { merchant, wechatpayKeys } = await credentials;
  let nowMs = startMs;
  const simulator: OpenSimulator = await openSimulator({
    merchant: { ...merchant, subMerchants },
    wechatpayKeys,
    seed: 'bills',
    surroundings: { ...machine, nowMs: () => nowMs },
  });
  const sub = subMerchants[0] ? { sub_mch_id: subMerchants[0].subMchid } : {};
  const raw = async (request: RawRequest) => simulator.handle(request);
  const send = async (request: RawRequest): Promise<Answer> => {
    const reply = await raw({
      ...request,
      headers: { host: '127.0.0.1', 'user-agent': 'test', ...request.headers },
    });
    if (typeof reply === 'string') {
      throw new Error(reply);
    }
    const bytes = reply.bytes ?? Buffer.from(reply.body);
    return { status: reply.status, headers: reply.headers, bytes, text: bytes.toString() };
  };
  const control: Shop['control'] = async (method, path, body) => {
    const content = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    const { status, text } = await send({
      method,
      url: `/_simulator${path}`,
      headers: {},
      ...content,
    });
    return { status, body: JSON.parse(text) as Json };
  };
  const v2: Shop['v2'] = async (path, given, key = merchant.apiV2Key) => {
    const fields = { appid: merchant.appid, mch_id: merchant.mchid, nonce_str: 'n', ...given };
    const body = tenpayUtil.buildXML({ ...fields, sign: sign(fields, key) });
    return send({ method: 'POST', url: path, headers: {}, body: Buffer.from(body) });
  };
  const v3: Shop['v3'] = async (url, changes = {}) => {
    const timestamp = Math.floor(nowMs / 1000).toString();
    const parts = { method: 'GET', url, timestamp, nonce: 'N0', body: '' };
    const signature = rsaSign(stringOf(parts), merchant.merchantPrivateKey);
    const authorization =
      `WECHATPAY2-SHA256-RSA2048 mchid="${merchant.mchid}",nonce_str="N0",signature="${signature}",` +
      `timestamp="${timestamp}",serial_no="${merchant.merchantSerialNo}"`;
    return send({ method: 'GET', url, headers: { accept: '*/*', authorization }, ...changes });
  };
  return {
    mchid: merchant.mchid,
    appid: merchant.appid,
    wechatpayKey: merchant.wechatpayPublicKey,
    at: (time) => {
      nowMs = Date.parse(time);
    },
    async pay(outTradeNo, totalFen = 2800, fields = {}) {
      const { body } = await control('GET', '/users/alice');
      const placed = await v2('/pay/unifiedorder', {
        ...sub,
        body: '测试店-拿铁',
        out_trade_no: outTradeNo,
        total_fee: totalFen.toString(),
        spbill_create_ip: '127.0.0.1',
        notify_url: 'http://127.0.0.1:9/notify',
        trade_type: 'JSAPI',
        openid: String(body['openid']),
        ...fields,
      });
      const paid = await control('POST', `/orders/${outTradeNo}/pay`, {});
      if (paid.status !== 200) {
        throw new Error(`${placed.text} ${JSON.stringify(paid.body)}`);
      }
    },
    async refund(outTradeNo, outRefundNo, refundFen, totalFen = 2800) {
      const { text } = await v2('/secapi/pay/refund', {
        ...sub,
        out_trade_no: outTradeNo,
        out_refund_no: outRefundNo,
        refund_fee: refundFen.toString(),
        total_fee: totalFen.toString(),
      });
      if (!text.includes('<result_code><![CDATA[SUCCESS]]>')) {
        throw new Error(text);
      }
    },
    control,
    v2,
    v3,
    billV2: async (fields = {}, key) =>
      v2('/pay/downloadbill', { bill_date: '20261124', bill_type: 'ALL', ...fields }, key),
    async billV3(query = 'bill_date=2026-11-24&bill_type=ALL') {
      const { text } = await v3(`/v3/bill/tradebill?${query}`);
      const question = JSON.parse(text) as Json;
      return { question, file: await v3(pathOf(question['download_url'])) };
    },
    raw,
    stop: () => simulator.stop(),
  };
}

/** Path and query of a link. */
export function pathOf(link: unknown): string {
  const { pathname, search } = new URL(String(link));
  return pathname + search;
}

/** Every line without its end; the last one is whole. */
export function linesOf(bytes: Buffer): string[] {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (isGzip ? gunzipSync(bytes) : bytes).toString();
  return text.replace(/\r\n$/, '').split('\r\n');
}

/** The rows by heading, without the two lines of sums. */
export function rowsOf(bytes: Buffer): Record<string, string>[] {
  const lines = linesOf(bytes);
  const headings = String(lines[0]?.replace(/^\uFEFF/, '')).split(',');
  return lines.slice(1, -2).map((line) => {
    const cells = line.slice(1).split(',`');
    return Object.fromEntries(headings.map((heading, n) => [heading, cells[n] ?? 'MISSING']));
  });
}

export const sumsOf = (bytes: Buffer): string[] =>
  String(linesOf(bytes).at(-1)).slice(1).split(',`');
