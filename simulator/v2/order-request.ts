/** What `/pay/unifiedorder` demands of its parameters, as documented; lengths count UTF-8 bytes, the strict reading. */
import { isIP } from 'node:net';
import { parseBeijing } from '../book/clock.ts';
import { fail, type Outcome } from './errors.ts';
import { isGoodsDetail, isSceneInfo } from './order-options.ts';
import type { Fields } from './wire.ts';

const MAX_BYTES: Record<string, number> = {
  appid: 32,
  mch_id: 32,
  sub_appid: 32,
  sub_mch_id: 32,
  device_info: 32,
  body: 127,
  detail: 6000,
  attach: 127,
  out_trade_no: 32,
  fee_type: 16,
  total_fee: 10,
  spbill_create_ip: 64,
  time_start: 14,
  time_expire: 14,
  goods_tag: 32,
  notify_url: 256,
  trade_type: 16,
  product_id: 32,
  limit_pay: 32,
  openid: 128,
  sub_openid: 128,
  receipt: 8,
  profit_sharing: 1,
  scene_info: 256,
};

const REQUIRED = [
  'body',
  'out_trade_no',
  'total_fee',
  'spbill_create_ip',
  'notify_url',
  'trade_type',
] as const;

const TRADE_TYPES_OF_OTHER_PRODUCTS = new Set(['APP', 'MWEB', 'MICROPAY', 'FACEPAY']);

/** WeChat names 5 minutes; a few seconds pass between the merchant's clock and here. */
const MIN_LIFETIME_MS = 5 * 60 * 1000;
const GRACE_MS = 5000;

const badFormat = (name: string) => fail('INVALID_REQUEST', `${name}参数格式错误`);

const FORMATS: Record<string, (value: string) => boolean> = {
  out_trade_no: (value) => /^[0-9A-Za-z_\-|*]+$/.test(value),
  total_fee: (value) => /^[1-9]\d*$/.test(value),
  fee_type: (value) => value === 'CNY',
  limit_pay: (value) => value === 'no_credit',
  receipt: (value) => value === 'Y',
  profit_sharing: (value) => value === 'Y' || value === 'N',
  time_start: (value) => parseBeijing(value) !== undefined,
  time_expire: (value) => parseBeijing(value) !== undefined,
  detail: isGoodsDetail,
  scene_info: isSceneInfo,
  notify_url: isNotifyUrl,
};

/** The first fault of the request, in WeChat's words; undefined when there is none. */
export function checkOrderRequest(fields: Fields): Outcome | undefined {
  for (const name of REQUIRED) {
    if (!fields[name]) {
      return fail('LACK_PARAMS', `缺少必填参数${name}`);
    }
  }
  for (const [name, limit] of Object.entries(MAX_BYTES)) {
    if (Buffer.byteLength(fields[name] ?? '') > limit) {
      return fail('INVALID_REQUEST', `${name}参数长度有误`);
    }
  }
  for (const [name, isGood] of Object.entries(FORMATS)) {
    const value = fields[name];
    if (value && !isGood(value)) {
      return badFormat(name);
    }
  }
  if (isIP(fields['spbill_create_ip'] ?? '') === 0) {
    return fail('INVALID_REQUEST', 'invalid spbill_create_ip');
  }
  const { time_start: start, time_expire: expire } = fields;
  if (start && expire && start >= expire) {
    return badFormat('time_expire');
  }
  return checkTradeType(fields);
}

function checkTradeType(fields: Fields): Outcome | undefined {
  const tradeType = fields['trade_type'] ?? '';
  if (TRADE_TYPES_OF_OTHER_PRODUCTS.has(tradeType)) {
    return fail('NOAUTH');
  }
  if (tradeType === 'JSAPI') {
    return checkPayer(fields);
  }
  if (tradeType === 'NATIVE') {
    return fields['product_id'] ? undefined : fail('LACK_PARAMS', '缺少必填参数product_id');
  }
  return badFormat('trade_type');
}

function checkPayer(fields: Fields): Outcome | undefined {
  const { openid, sub_openid: subOpenid, sub_mch_id: subMchId, sub_appid: subAppid } = fields;
  if (!subMchId) {
    return openid ? undefined : fail('LACK_PARAMS', 'JSAPI支付必须传openid');
  }
  if (!openid === !subOpenid) {
    return fail('LACK_PARAMS', 'JSAPI支付必须传openid或sub_openid，且只能传一个');
  }
  return subOpenid && !subAppid
    ? fail('LACK_PARAMS', '传sub_openid时，sub_appid为必传')
    : undefined;
}

/** A new order needs 5 minutes; one that exists may be ordered again as long as it can still be paid. */
export function checkTimeExpire(
  timeExpire: string | undefined,
  nowMs: number,
  exists: boolean,
): Outcome | undefined {
  const endMs = parseBeijing(timeExpire ?? '');
  if (endMs === undefined) {
    return undefined;
  }
  const shortestMs = exists ? 0 : MIN_LIFETIME_MS - GRACE_MS;
  return endMs - nowMs < shortestMs
    ? fail('INVALID_REQUEST', 'time_expire时间过短，刷卡至少1分钟，其他5分钟')
    : undefined;
}

export function isNotifyUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    !text.includes('?') &&
    !text.includes('#')
  );
}
