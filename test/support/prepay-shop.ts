/**
 * The prepay function with everything around it: a real table, WeChat as a double, buyers with
 * tokens. Table operations and WeChat calls are kept in one list, in the order they happened.
 */
import { SignJWT } from 'jose';
import { prepay } from '../../functions/prepay.ts';
import { httpHandler } from '../../lib/http/handler.ts';
import type { OrderOptions } from '../../lib/order/options.ts';
import type { MerchantSecret } from '../../lib/secrets/merchant.ts';
import { issueToken } from '../../lib/http/session.ts';
import type { Table } from '../../lib/table/client.ts';
import type { WechatPayUse } from '../../lib/wechatpay/open.ts';
import type { WechatPay } from '../../lib/wechatpay/operations.ts';
import type { SignType } from '../../lib/order/stored-request.ts';
import { apiEvent, recordedFunction, REQUEST_ID } from './api-event.ts';
import { allRows, productRow, putRow } from './embedded-tables.ts';
import { APPID, CREATED_AT, OPENID } from './sample-orders.ts';
import { merchantWith, secretVersions } from './secret-versions.ts';
import { createdOrder, type WechatAnswer, wechatDouble } from './wechat-double.ts';
import { type Operation, watchTable } from './watched-table.ts';

export const SESSION_KEY = 'session-key-of-at-least-32-characters';
const QUOTE_KEY = 'quote-key-of-at-least-32-characters!!';

/** The answer of the function, read as a client would. */
export interface PrepayAnswer {
  readonly status: number;
  readonly body: {
    readonly outTradeNo: string;
    readonly totalFen: number;
    readonly description: string;
    readonly expiresAt: string;
    readonly requestPayment: Record<string, string>;
    readonly error: { code: string; message: string; totalFen?: number };
    readonly requestId: string;
  };
}

interface ShopOptions {
  readonly answer?: WechatAnswer;
  readonly signType?: SignType;
  readonly nonce?: () => string;
  /** The key that WeChat signs its answers with. */
  readonly wechatKey?: string;
  readonly quoteKey?: string | undefined;
  /** New orders go by API v3, to this. */
  readonly v3?: WechatPay;
  readonly merchant?: MerchantSecret;
  /** What the deployment says about every order. */
  readonly orderOptions?: OrderOptions;
  readonly allowVirtualGoods?: boolean;
  readonly openOrdersPerBuyer?: number;
  readonly onOperation?: (operation: Operation) => Promise<unknown>;
}

interface PrepayCall {
  readonly key?: string | undefined;
  readonly openid?: string;
  readonly ip?: string;
  readonly authorization?: string;
  readonly language?: string;
}

export function openPrepayShop(table: Table, options: ShopOptions = {}) {
  const happened: string[] = [];
  const clock = { nowMs: CREATED_AT * 1000 };
  const nowMs = () => clock.nowMs;
  const watched = watchTable(table, (operation) => {
    happened.push(operation.name);
    return options.onOperation?.(operation) ?? operation.send();
  });
  const { answer = createdOrder } = options;
  const wechat = wechatDouble(
    async (request) => {
      happened.push(request.path);
      return answer(request);
    },
    {
      nowMs,
      ...(options.signType && { signType: options.signType }),
      ...(options.nonce && { nonce: options.nonce }),
      ...(options.wechatKey && { key: options.wechatKey }),
    },
  );
  const functionLog = recordedFunction();
  const handler = httpHandler(
    prepay,
    () => ({
      config: {
        publicBaseUrl: 'https://pay.example.com',
        orderLifetimeSeconds: 1800,
        apiVersion: options.v3 ? 'v3' : 'v2',
        orderOptions: options.orderOptions ?? {},
        allowVirtualGoods: options.allowVirtualGoods ?? false,
        openOrdersPerBuyer: options.openOrdersPerBuyer ?? 0,
      } as const,
      miniProgram: secretVersions({
        appid: APPID,
        appSecret: '0123456789abcdef0123456789abcdef',
        sessionKey: SESSION_KEY,
        quoteKey: 'quoteKey' in options ? options.quoteKey : QUOTE_KEY,
      }),
      merchant: secretVersions(options.merchant ?? merchantWith()),
      table: watched,
      wechatPay: (use: WechatPayUse) =>
        (use.apiVersion === 'v3' && options.v3) || wechat.wechatPay(use),
      nowMs,
    }),
    functionLog,
  );

  return {
    /** Table operations and paths at WeChat. */
    happened,
    requests: wechat.requests,
    log: functionLog.log,
    clock,
    async call(body: unknown, call: PrepayCall = {}): Promise<PrepayAnswer> {
      const { openid = OPENID, ip = '203.0.113.7' } = call;
      const key = 'key' in call ? call.key : 'tap-1';
      const login = { appid: APPID, sessionKey: SESSION_KEY, lifetimeSeconds: 7200 };
      const token = await issueToken(openid, { ...login, nowMs: CREATED_AT * 1000 });
      const event = apiEvent({
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: {
          authorization: call.authorization ?? `Bearer ${token}`,
          ...(key !== undefined && { 'idempotency-key': key }),
          ...(call.language && { 'accept-language': call.language }),
        },
      });
      const http = { sourceIp: ip } as typeof event.requestContext.http;
      const answer = await handler(
        { ...event, requestContext: { ...event.requestContext, http } },
        { awsRequestId: REQUEST_ID },
      );
      return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body ?? '') };
    },
  };
}

export type PrepayShop = ReturnType<typeof openPrepayShop>;

/** A quote as the merchant's own backend signs it; good for 5 minutes unless said otherwise. */
export function quote(
  claims: Record<string, unknown>,
  { key = QUOTE_KEY, expiresAt = CREATED_AT + 300 } = {},
): Promise<string> {
  return new SignJWT({
    outTradeNo: 'quote-0001',
    totalFen: 9900,
    description: '巧克力蛋糕',
    ...claims,
  })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(key));
}

/** Three products: 拿铁 at 28.00 yuan, 曲奇 at 1 fen, 定金 of what the buyer chooses. */
export async function stockCatalogue(table: Table): Promise<void> {
  await putRow(table, productRow('latte', { priceFen: 2800 }, { name: { S: '拿铁' } }));
  await putRow(table, productRow('cookie', { priceFen: 1 }, { name: { S: '曲奇' } }));
  await putRow(
    table,
    productRow('deposit', { minFen: 1, maxFen: 100_000 }, { name: { S: '定金' } }),
  );
}

/** Keys of everything in the table but the catalogue. */
export async function writtenKeys(table: Table): Promise<string[]> {
  const rows = (await allRows(table)).filter(({ SK }) => SK?.S !== 'PRODUCT');
  return rows.map(({ PK }) => String(PK?.S)).toSorted();
}

/** How a call ended, with everything that was written or asked at WeChat so far. */
export const ending = (shop: PrepayShop, { status, body }: PrepayAnswer) => ({
  status,
  code: body.error.code,
  requestId: body.requestId,
  writesAndCalls: shop.happened.filter((name) => name !== 'BatchGetItem' && name !== 'GetItem'),
});

/** Refused, and nothing was written, nobody was called. */
export const refusedWith = (status: number, code: string) => ({
  status,
  code,
  requestId: 'request-0001',
  writesAndCalls: [],
});
