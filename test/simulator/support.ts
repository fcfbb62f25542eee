/**
 * A merchant for tests. It signs and reads XML with the code of the npm package `tenpay`, which shares
 * nothing with the simulator (that uses `wechatpay-axios-plugin`), and its notify_url is a real server.
 */
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { Credentials, Merchant } from '../../simulator/book/credentials.ts';
import { createMerchant } from '../../simulator/create-merchant.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/start.ts';

interface TenpayUtil {
  md5(text: string): string;
  sha256(text: string, key: string): string;
  toQueryString(fields: object): string;
  buildXML(fields: object): string;
  parseXML(xml: string): Promise<Record<string, string>>;
}

export const tenpayUtil = createRequire(import.meta.url)('tenpay/lib/util') as TenpayUtil;

export type Fields = Record<string, string>;

export const ACKNOWLEDGEMENT =
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';

/** The rule of WeChat's documentation, made with tenpay's pieces. */
export function sign(fields: Fields, key: string, signType = 'MD5'): string {
  const text = `${tenpayUtil.toQueryString(fields)}&key=${key}`;
  const digest = signType === 'MD5' ? tenpayUtil.md5(text) : tenpayUtil.sha256(text, key);
  return digest.toUpperCase();
}

export interface Received {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly fields: Fields;
}

type ShopAnswer = (
  received: Received,
  response: http.ServerResponse,
) => string | undefined | Promise<string | undefined>;

export interface Shop {
  readonly notifyUrl: string;
  readonly received: Received[];
  /** How the shop answers from now on; a string is the body of a 200. */
  answerWith(answer: ShopAnswer): void;
  stop(): Promise<void>;
}

/** A merchant's server that acknowledges unless told otherwise. */
export async function startShop(): Promise<Shop> {
  const received: Received[] = [];
  let answer: ShopAnswer = () => ACKNOWLEDGEMENT;
  const serve = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks).toString('utf8');
    const fields = body.startsWith('<') ? await tenpayUtil.parseXML(body) : {};
    const message = { headers: request.headers, body, fields };
    received.push(message);
    const text = await answer(message, response);
    if (text !== undefined) {
      response.end(text);
    }
  };
  const server = http.createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    notifyUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`,
    received,
    answerWith(next) {
      answer = next;
    },
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

export interface OrderView {
  readonly outTradeNo: string;
  readonly tradeState: string;
  readonly totalFen: number;
  readonly transactionId: string | null;
  readonly payableUntil: string;
  readonly notifications: {
    readonly state: string;
    readonly nextAttemptAt: string | null;
    readonly attempts: {
      readonly attempt: number;
      readonly outcome: string;
      readonly at: string;
      readonly fault?: string;
      readonly error?: string;
      readonly httpStatus?: number;
    }[];
  }[];
}

export interface Bench {
  readonly merchant: Merchant;
  readonly simulator: Simulator;
  readonly shop: Shop;
  /** A call of the control API; `status` beside the JSON. */
  control(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, never> }>;
  /** A signed v2 call; `changes` replace fields, `undefined` leaves one out. */
  call(
    path: string,
    fields: Record<string, string | undefined>,
    options?: { signType?: string; url?: string },
  ): Promise<Fields>;
  orderFields(
    outTradeNo: string,
    changes?: Record<string, string | undefined>,
  ): Promise<Record<string, string | undefined>>;
  placeOrder(
    outTradeNo: string,
    changes?: Record<string, string | undefined>,
    signType?: string,
  ): Promise<Fields>;
  /** The parameters that the mini-program gives to wx.requestPayment. */
  paymentParameters(prepayId: string, signType?: string): Fields;
  payByPhone(prepayId: string, user?: string, signType?: string): Promise<Record<string, unknown>>;
  book(outTradeNo: string): Promise<OrderView>;
  /** Waits until every notification of the order has been attempted and nothing is in flight. */
  waitForAttempts(outTradeNo: string, count: number): Promise<OrderView>;
  openidOf(user: string): Promise<string>;
  stop(): Promise<void>;
}

let credentials: Promise<Credentials> | undefined;
/** One throwaway merchant for all tests of a file: RSA keys take time. */
const testCredentials = async () => {
  credentials ??= createMerchant();
  return credentials;
};

export async function startBench(options: Partial<SimulatorOptions> = {}): Promise<Bench> {
  const { merchant, wechatpayKeys } = await testCredentials();
  const shop = await startShop();
  const simulator = await startSimulator({ merchant, wechatpayKeys, seed: 'test', ...options });

  const control: Bench['control'] = async (method, path, body) => {
    const response = await fetch(`${simulator.url}/_simulator${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };

  const call: Bench['call'] = async (path, given, { signType = 'HMAC-SHA256', url } = {}) => {
    const all: Record<string, string | undefined> = {
      appid: merchant.appid,
      mch_id: merchant.mchid,
      nonce_str: tenpayUtil.md5(Math.random().toString()),
      sign_type: signType,
      ...given,
    };
    const fields = Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const signed = { ...fields, sign: sign(fields, merchant.apiV2Key, signType) };
    const response = await fetch(`${url ?? simulator.url}${path}`, {
      method: 'POST',
      body: tenpayUtil.buildXML(signed),
    });
    return tenpayUtil.parseXML(await response.text());
  };

  const openidOf = async (user: string) =>
    (await control('GET', `/users/${user}`)).body['openid'] as unknown as string;

  const orderFields: Bench['orderFields'] = async (outTradeNo, changes = {}) => ({
    body: '测试店-拿铁',
    out_trade_no: outTradeNo,
    total_fee: '2800',
    spbill_create_ip: '127.0.0.1',
    notify_url: shop.notifyUrl,
    trade_type: 'JSAPI',
    openid: await openidOf('alice'),
    ...changes,
  });

  const placeOrder: Bench['placeOrder'] = async (outTradeNo, changes, signType = 'HMAC-SHA256') =>
    call('/pay/unifiedorder', await orderFields(outTradeNo, changes), { signType });

  const paymentParameters: Bench['paymentParameters'] = (prepayId, signType = 'HMAC-SHA256') => {
    const fields = {
      appId: merchant.appid,
      timeStamp: Math.floor(Date.now() / 1000).toString(),
      nonceStr: tenpayUtil.md5(Math.random().toString()),
      package: `prepay_id=${prepayId}`,
      signType,
    };
    const { appId: _, ...parameters } = fields;
    return { ...parameters, paySign: sign(fields, merchant.apiV2Key, signType) };
  };

  const book = async (outTradeNo: string) =>
    (await control('GET', `/orders/${outTradeNo}`)).body as unknown as OrderView;

  return {
    merchant,
    simulator,
    shop,
    control,
    call,
    orderFields,
    placeOrder,
    paymentParameters,
    async payByPhone(prepayId, user = 'alice', signType) {
      const parameters = paymentParameters(prepayId, signType);
      return (await control('POST', '/request-payment', { user, ...parameters })).body;
    },
    book,
    async waitForAttempts(outTradeNo, count) {
      for (let waited = 0; waited < 7000; waited += 10) {
        const view = await book(outTradeNo);
        if (view.notifications.flatMap(({ attempts }) => attempts).length >= count) {
          return view;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`no ${count} attempts for ${outTradeNo}`);
    },
    openidOf,
    async stop() {
      await simulator.stop();
      await shop.stop();
    },
  };
}
