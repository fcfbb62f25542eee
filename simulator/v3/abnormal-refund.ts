/** `POST …/{refund_id}/apply-abnormal-refund` (发起异常退款): where the money of an `ABNORMAL` refund goes instead. */
import { constants, privateDecrypt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Order } from '../book/orders.ts';
import type { Refund } from '../book/refunds.ts';
import type { Rerouting } from '../host/refund-desk.ts';
import type { Service } from '../host/service.ts';
import { failV3, succeedV3, type V3Failure, type V3Outcome } from './errors.ts';
import { checkJson } from './json-shape.ts';
import type { Json } from './open-request.ts';
import { describeRefund } from './refund-fields.ts';
import { shapeOfRerouting } from './refund-shape.ts';
import { isProvider, refuseSubMerchant } from './refunds.ts';

/** Debit cards of these banks only. */
const BANKS: Readonly<Record<string, string>> = {
  CMB_DEBIT: '招商银行',
  COMM_DEBIT: '交通银行',
  ABC_DEBIT: '农业银行',
  CCB_DEBIT: '建设银行',
  ICBC_DEBIT: '工商银行',
  BOC_DEBIT: '中国银行',
  PAB_DEBIT: '平安银行',
  SPDB_DEBIT: '浦发银行',
  CITIC_DEBIT: '中信银行',
  CEB_DEBIT: '光大银行',
  CMBC_DEBIT: '民生银行',
  CIB_DEBIT: '兴业银行',
  GDB_DEBIT: '广发银行',
  PSBC_DEBIT: '邮储银行',
  NBCB_DEBIT: '宁波银行',
};

interface Asked {
  readonly json: unknown;
  /** `Wechatpay-Serial`: whose key the secret fields are encrypted with. */
  readonly serial: string | undefined;
}

export function rerouteRefund(
  service: Service,
  refund: Refund | undefined,
  { json, serial }: Asked,
): V3Outcome {
  const refused =
    checkJson(json, shapeOfRerouting(isProvider(service))) ??
    refuseSubMerchant(service, json as Json);
  if (refused) {
    return refused;
  }
  const body = json as Json;
  const order = refund && service.orders.find(refund.outTradeNo);
  if (!refund || !order || !isNamed(order, refund, body)) {
    return failV3('RESOURCE_NOT_EXISTS', { text: '退款单不存在' });
  }
  const target = body['type'] === 'USER_BANK_CARD' ? readCard(service, body, serial) : TO_MERCHANT;
  if ('kind' in target) {
    return target;
  }
  // Encryption gives other bytes each time: what was asked is compared in clear.
  const request = { type: body['type'], ...target };
  if (refund.rerouting && isDeepStrictEqual(refund.rerouting, request)) {
    return succeedV3(describeRefund(order, refund));
  }
  if (refund.status !== 'ABNORMAL') {
    const note = `the refund is ${refund.status}, not ABNORMAL`;
    return failV3('INVALID_REQUEST', { text: '退款单状态不是退款异常，不能发起异常退款', note });
  }
  const rerouted = service.refundDesk.reroute(order, refund, { request, ...target });
  return succeedV3(describeRefund(order, rerouted));
}

const isNamed = (order: Order, refund: Refund, body: Json) =>
  refund.outRefundNo === body['out_refund_no'] &&
  order.terms.subMchid === (body['sub_mchid'] ?? '');

type Target = Omit<Rerouting, 'request'>;

const TO_MERCHANT: Target = { receivedBy: '商户结算银行账户', channel: 'ORIGINAL' };

function readCard(service: Service, body: Json, serial: string | undefined): Target | V3Failure {
  const missing = ['bank_type', 'bank_account', 'real_name'].find((name) => !body[name]);
  if (missing) {
    return refuse(`/${missing}`, `退款至用户银行卡时${missing}必填`);
  }
  const bank = BANKS[String(body['bank_type'])];
  if (bank === undefined) {
    return refuse('/bank_type', '不支持的开户银行');
  }
  const key = serial === undefined ? undefined : service.keys?.find(serial)?.privateKey;
  if (!key) {
    return failV3('PARAM_ERROR', {
      text: 'Http头Wechatpay-Serial缺失或与加密所用密钥不符',
      note: 'Wechatpay-Serial does not name a key of WeChat Pay',
    });
  }
  const decrypt = (name: string) => {
    const oaep = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
    return privateDecrypt(oaep, Buffer.from(String(body[name]), 'base64')).toString('utf8');
  };
  try {
    decrypt('real_name');
    const account = decrypt('bank_account');
    return /^\d{8,32}$/.test(account)
      ? { receivedBy: `${bank}借记卡${account.slice(-4)}`, channel: 'OTHER_BANKCARD' }
      : refuse('/bank_account', '银行卡号格式错误');
  } catch {
    return refuse('/bank_account', '敏感字段解密失败');
  }
}

const refuse = (field: string, text: string): V3Failure =>
  failV3('PARAM_ERROR', { text, detail: { field, location: 'body' }, note: `${field}: ${text}` });
