/** Orders that are due, as DynamoDB hands them out and as WeChat Pay answers about them. */
import { Hash, Rsa, Formatter } from 'wechatpay-axios-plugin';
import type { ApiVersion } from '../lib/order/parties.ts';
import type { StoredRequest } from '../lib/order/stored-request.ts';
import { keyOf, text } from '../lib/table/attributes.ts';
import { orderToItem } from '../lib/table/order-row.ts';
import { toBeijingTime } from '../lib/wechatpay/v2/protocol/time.ts';
import { toRfc3339 } from '../lib/wechatpay/v3/protocol/time.ts';

const APPID = 'wx8888888888888888';
export const MCHID = '1900000109';
export const API_V2_KEY = 'k'.repeat(32);
export const PUBLIC_KEY_ID = 'PUB_KEY_ID_0119000001092026030100000000000000';
const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
const TOTAL_FEN = 2800;

/** What WeChat knows of the orders: so many of ten are paid; the time of the others may be over. */
export interface Mixture {
  readonly name: string;
  readonly paidOfTen: number;
  readonly isExpired: boolean;
}

type Item = ReturnType<typeof orderToItem>;
type State = 'SUCCESS' | 'NOTPAY' | 'CLOSED';

interface Known {
  readonly item: Item;
  readonly createdAt: number;
  state: State;
  isDue: boolean;
}

/** Of an operation of DynamoDB, the parts that are looked at here. */
interface Input {
  readonly Limit?: number;
  readonly Key?: Item;
  readonly ExpressionAttributeValues?: Item;
  readonly ExclusiveStartKey?: Item;
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly Item[] }>>;
}

/** An answer of WeChat's, signed. */
interface WechatAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Shop {
  /** Makes so many further orders due. */
  fill(count: number, mixture: Mixture): void;
  /** From the first look at what is due to the last write, of what was filled in last. */
  wallMs(): number;
  dynamoDb(operation: string, input: Input): object;
  wechat(url: string, body: string): WechatAnswer;
}

export function openShop(apiVersion: ApiVersion, wechatPrivateKey: string): Shop {
  const orders = new Map<string, Known>();
  let shards = new Map<string, Item[]>();
  let firstLookAt: number | undefined;
  let lastWriteAt = 0;
  const known = (key: Item | undefined) => orders.get(key?.['PK']?.S ?? '');
  return {
    fill(count, { paidOfTen, isExpired }) {
      const now = Math.floor(Date.now() / 1000);
      const createdAt = now - (isExpired ? 2_000 : 90);
      const from = orders.size;
      shards = new Map();
      for (let index = from; index < from + count; index += 1) {
        const item = itemOf(apiVersion, index, createdAt, now - 30);
        const state = index % 10 < paidOfTen ? 'SUCCESS' : 'NOTPAY';
        orders.set(item['PK']?.S ?? '', { item, createdAt, state, isDue: true });
        const shard = item['GSI1PK']?.S ?? '';
        shards.set(shard, [...(shards.get(shard) ?? []), item]);
      }
      firstLookAt = undefined;
    },
    wallMs: () => lastWriteAt - (firstLookAt ?? lastWriteAt),
    dynamoDb(operation, input) {
      switch (operation) {
        case 'Query':
          firstLookAt ??= performance.now();
          return pageOf(
            shards.get(input.ExpressionAttributeValues?.[':shard']?.S ?? '') ?? [],
            input,
            (item) => known(item)?.isDue === true,
          );
        case 'BatchGetItem':
          return { Responses: rowsOf(input, (key) => known(key)?.item), UnprocessedKeys: {} };
        case 'UpdateItem':
          settle(known(input.Key));
          lastWriteAt = performance.now();
          return {};
        default:
          return {};
      }
    },
    wechat(url, body) {
      const outTradeNo = /order\d{27}/.exec(url + body)?.[0] ?? '';
      const order = orders.get(`ORDER#${outTradeNo}`);
      if (!order) {
        throw new Error(`WeChat was asked about an order that nobody made: ${url}`);
      }
      const isClose = /\/close/.test(url);
      if (isClose) {
        order.state = 'CLOSED';
      }
      return apiVersion === 'v2'
        ? answerV2(outTradeNo, order, isClose)
        : answerV3(outTradeNo, order, isClose, wechatPrivateKey);
    },
  };
}

/** Also again: the SDK repeats a write whose answer a busy machine brings late. */
function settle(order: Known | undefined): void {
  if (!order) {
    throw new Error('an order was written that nobody made');
  }
  order.isDue = false;
}

function itemOf(apiVersion: ApiVersion, index: number, createdAt: number, dueAt: number): Item {
  const outTradeNo = `order${String(index).padStart(27, '0')}`;
  return orderToItem({
    merchantKey: '',
    outTradeNo,
    openid: OPENID,
    appid: APPID,
    mchid: MCHID,
    totalFen: TOTAL_FEN,
    currency: 'CNY',
    description: '拿铁, 大杯',
    items: [{ sku: 'latte-large', quantity: 1, unitFen: TOTAL_FEN, kind: undefined }],
    tradeState: 'NOTPAY',
    createdAtEpochSeconds: createdAt,
    expiresAtEpochSeconds: createdAt + 1_800,
    fingerprint: 'f'.repeat(64),
    apiVersion,
    prepayRequest: requestOf(apiVersion, outTradeNo),
    checks: 0,
    nextCheckAtEpochSeconds: dueAt,
  });
}

/** As long as a real one. */
function requestOf(apiVersion: ApiVersion, outTradeNo: string): StoredRequest {
  const padding = 'x'.repeat(400);
  return apiVersion === 'v2'
    ? { apiVersion, fields: { out_trade_no: outTradeNo, sign_type: 'HMAC-SHA256', padding } }
    : { apiVersion, path: '/v3/pay/transactions/jsapi', body: `${outTradeNo} ${padding}` };
}

function pageOf(items: readonly Item[], input: Input, isDue: (item: Item) => boolean) {
  const limit = input.Limit ?? items.length;
  const last = input.ExclusiveStartKey?.['PK']?.S;
  const start = last === undefined ? 0 : items.findIndex((item) => item['PK']?.S === last) + 1;
  const found = items.slice(start).filter(isDue);
  const Items = found.slice(0, limit).map(placeOf);
  return {
    Items,
    Count: Items.length,
    ...(found.length > limit && { LastEvaluatedKey: Items.at(-1) }),
  };
}

/** What the index holds of a row. */
const placeOf = (item: Item): Item => ({
  ...keyOf({ PK: item['PK']?.S ?? '', SK: 'ORDER' }),
  GSI1PK: text(item['GSI1PK']?.S ?? ''),
  GSI1SK: text(item['GSI1SK']?.S ?? ''),
});

const rowsOf = (input: Input, rowOf: (key: Item) => Item | undefined) =>
  Object.fromEntries(
    Object.entries(input.RequestItems ?? {}).map(([table, { Keys }]) => [table, Keys.map(rowOf)]),
  );

const transactionId = (outTradeNo: string) => `4200002345${outTradeNo.slice(-18)}`;

function answerV2(outTradeNo: string, { state, createdAt }: Known, isClose: boolean): WechatAnswer {
  const fields: Record<string, string> = {
    return_code: 'SUCCESS',
    return_msg: 'OK',
    result_code: 'SUCCESS',
    appid: APPID,
    mch_id: MCHID,
    nonce_str: Formatter.nonce(32),
    ...(!isClose && { out_trade_no: outTradeNo, trade_state: state, trade_state_desc: '订单' }),
    ...(!isClose &&
      state === 'SUCCESS' && {
        openid: OPENID,
        is_subscribe: 'N',
        trade_type: 'JSAPI',
        bank_type: 'OTHERS',
        total_fee: String(TOTAL_FEN),
        cash_fee: String(TOTAL_FEN),
        fee_type: 'CNY',
        transaction_id: transactionId(outTradeNo),
        time_end: toBeijingTime(createdAt + 40),
      }),
  };
  const sign = Hash.sign('HMAC-SHA256', { ...fields }, API_V2_KEY);
  const elements = Object.entries({ ...fields, sign }).map(
    ([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`,
  );
  return {
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: `<xml>${elements.join('\n')}</xml>`,
  };
}

function answerV3(
  outTradeNo: string,
  { state, createdAt }: Known,
  isClose: boolean,
  privateKey: string,
): WechatAnswer {
  const paid = {
    transaction_id: transactionId(outTradeNo),
    trade_type: 'JSAPI',
    bank_type: 'OTHERS',
    success_time: toRfc3339(createdAt + 40),
    payer: { openid: OPENID },
  };
  const transaction = {
    appid: APPID,
    mchid: MCHID,
    out_trade_no: outTradeNo,
    trade_state: state,
    trade_state_desc: '订单',
    amount: { total: TOTAL_FEN, currency: 'CNY' },
    ...(state === 'SUCCESS' && paid),
  };
  const body = isClose ? '' : JSON.stringify(transaction);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = Formatter.nonce(32);
  const headers = {
    'content-type': 'application/json',
    'wechatpay-timestamp': timestamp,
    'wechatpay-nonce': nonce,
    'wechatpay-serial': PUBLIC_KEY_ID,
    'wechatpay-signature': Rsa.sign(Formatter.response(timestamp, nonce, body), privateKey),
    'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
  };
  return { status: isClose ? 204 : 200, headers, body };
}
