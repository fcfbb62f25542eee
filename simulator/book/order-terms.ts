/** What a request of either API version says about an order, under one set of names. */
import { parseBeijing, parseRfc3339 } from './clock.ts';

/** What a message of API v2 may declare. */
export type SignType = 'MD5' | 'HMAC-SHA256';

/** The first request as it was read: flat text in v2, JSON in v3. */
export type OrderRequest = Readonly<Record<string, unknown>>;

export interface OrderTerms {
  readonly tradeType: string;
  readonly totalFen: number;
  readonly notifyUrl: string;
  /** Empty texts mean that the request does not say. */
  readonly attach: string;
  /** What the bill calls 商品名称: `body` in v2, `description` in v3. */
  readonly productName: string;
  readonly deviceInfo: string;
  /** The payer under the merchant's (or the provider's) own appid. */
  readonly openid: string;
  /** Service-provider mode (服务商). */
  readonly subMchid: string;
  readonly subAppid: string;
  readonly subOpenid: string;
  readonly payUntilMs: number | undefined;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const part = (request: OrderRequest, name: string): OrderRequest => {
  const value = request[name];
  return typeof value === 'object' && value !== null ? (value as OrderRequest) : {};
};

export function readTermsV2(request: OrderRequest): OrderTerms {
  return {
    tradeType: text(request['trade_type']),
    totalFen: Number(request['total_fee']),
    notifyUrl: text(request['notify_url']),
    attach: text(request['attach']),
    productName: text(request['body']),
    deviceInfo: text(request['device_info']),
    openid: text(request['openid']),
    subMchid: text(request['sub_mch_id']),
    subAppid: text(request['sub_appid']),
    subOpenid: text(request['sub_openid']),
    payUntilMs: parseBeijing(text(request['time_expire'])),
  };
}

/** `trade_type` is no field of v3, where the address says it; the book adds it. */
export function readTermsV3(request: OrderRequest): OrderTerms {
  const payer = part(request, 'payer');
  return {
    tradeType: text(request['trade_type']),
    totalFen: Number(part(request, 'amount')['total']),
    notifyUrl: text(request['notify_url']),
    attach: text(request['attach']),
    productName: text(request['description']),
    deviceInfo: text(part(request, 'scene_info')['device_id']),
    openid: text(payer['openid']) || text(payer['sp_openid']),
    subMchid: text(request['sub_mchid']),
    subAppid: text(request['sub_appid']),
    subOpenid: text(payer['sub_openid']),
    payUntilMs: parseRfc3339(text(request['time_expire'])),
  };
}
