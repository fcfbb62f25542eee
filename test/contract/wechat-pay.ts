/** One WeChat Pay of each API version, told what to answer in words that hold for both. */
import type { UnverifiedNotification, WechatPay } from '../../lib/wechatpay/operations.ts';
import { openWechatPayV2 } from '../../lib/wechatpay/v2/index.ts';
import { APPID, CREATED_AT, MCHID, sampleRefundEvidence } from '../support/sample-orders.ts';
import { secretVersions } from '../support/secret-versions.ts';
import {
  API_V2_KEY,
  notificationXml,
  OTHER_KEY,
  paidFields,
  signed,
  type WireFields,
  xmlOf,
} from '../support/v2-message.ts';
import { encryptRefund, refundXml } from '../support/v2-refund.ts';
import { v3Double } from '../support/v3-double.ts';
import {
  API_V3_KEY,
  PUBLIC_KEY_ID,
  refund,
  transaction,
  v3Merchant,
  v3Notification,
} from '../support/v3-message.ts';
import { newKeyPair } from '../support/rsa-keys.ts';
import { neverRuns } from '../support/no-timer.ts';
import { certifiedMerchant } from '../support/v2-refund-double.ts';

/** What WeChat says to a call. */
export type Word =
  | { readonly kind: 'created'; readonly prepayId: string }
  | { readonly kind: 'order'; readonly state: string; readonly outTradeNo?: string }
  | { readonly kind: 'closed' }
  /** Of the sample refund, in a query or as it is accepted. */
  | {
      readonly kind: 'refund';
      readonly status: 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL';
      readonly refundFen?: number;
    }
  | {
      readonly kind: 'refused';
      readonly because: keyof typeof V2_REFUSALS;
    }
  | { readonly kind: 'forged' };

/** How a notification differs from the genuine one of `sampleOrder`. */
export interface NotificationChange {
  readonly kind?: 'payment' | 'refund';
  readonly mchid?: string;
  readonly subMchid?: string;
  /** With `spAppid`: the order of a sub-merchant's own mini-program. */
  readonly spAppid?: string;
  readonly forged?: boolean;
  readonly altered?: boolean;
}

export interface Version {
  readonly name: 'v2' | 'v3';
  readonly open: (word: Word) => { readonly wechatPay: WechatPay; readonly calls: () => number };
  readonly notification: (change?: NotificationChange) => UnverifiedNotification;
}

const SUB_OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

const V2_REFUSALS = {
  paid: ['ORDERPAID', 'why'],
  closed: ['ORDERCLOSED', 'why'],
  'unknown-order': ['ORDERNOTEXIST', 'why'],
  busy: ['SYSTEMERROR', 'why'],
  permission: ['NOAUTH', 'why'],
  'too-short': ['PARAM_ERROR', 'time_expire时间过短，刷卡至少1分钟，其他5分钟'],
  'other-terms': ['INVALID_REQUEST', '201 商户订单号重复'],
  'unknown-refund': ['REFUNDNOTEXIST', 'why'],
  'short-balance': ['NOTENOUGH', 'why'],
  'user-gone': ['USER_ACCOUNT_ABNORMAL', 'why'],
  'too-often': ['FREQUENCY_LIMITED', 'why'],
  'too-soon': ['INVALID_REQUEST', '退款间隔需大于1分钟'],
  'number-taken': ['PARAM_ERROR', '订单金额或退款金额与之前请求不一致'],
} as const;

function v2Fields(word: Word): WireFields {
  const accepted = {
    return_code: 'SUCCESS',
    result_code: 'SUCCESS',
    appid: APPID,
    mch_id: MCHID,
    nonce_str: 'n',
  };
  switch (word.kind) {
    case 'created':
      return { ...accepted, prepay_id: word.prepayId };
    case 'order': {
      const { state, outTradeNo = 'order-0001' } = word;
      return state === 'SUCCESS' || state === 'REFUND'
        ? paidFields({ trade_state: state, out_trade_no: outTradeNo })
        : { ...accepted, trade_state: state, out_trade_no: outTradeNo };
    }
    case 'closed':
      return accepted;
    case 'refused': {
      const [code, text] = V2_REFUSALS[word.because];
      return { ...accepted, result_code: 'FAIL', err_code: code, err_code_des: text };
    }
    case 'refund':
      return { ...accepted, ...refundFields(word) };
    case 'forged':
      return paidFields({
        trade_state: 'SUCCESS',
        prepay_id: 'wx01',
        ...refundFields({ status: 'PROCESSING' }),
      });
  }
}

const V2_STATUSES = {
  PROCESSING: 'PROCESSING',
  SUCCESS: 'SUCCESS',
  CLOSED: 'REFUNDCLOSE',
  ABNORMAL: 'CHANGE',
} as const;

/** What both the answer to a refund and that to its query have. */
function refundFields({
  status,
  refundFen = 800,
}: Omit<Extract<Word, { kind: 'refund' }>, 'kind'>): WireFields {
  const { outTradeNo, transactionId, outRefundNo, refundId } = sampleRefundEvidence();
  return {
    out_trade_no: outTradeNo,
    transaction_id: transactionId,
    total_fee: '2800',
    out_refund_no: outRefundNo,
    refund_id: refundId,
    refund_fee: String(refundFen),
    refund_count: '1',
    out_refund_no_0: outRefundNo,
    refund_id_0: refundId,
    refund_fee_0: String(refundFen),
    refund_status_0: V2_STATUSES[status],
  };
}

const v2: Version = {
  name: 'v2',
  open(word) {
    let calls = 0;
    const key = word.kind === 'forged' ? OTHER_KEY : API_V2_KEY;
    const transport = async () => {
      calls += 1;
      const body = Buffer.from(xmlOf(signed(v2Fields(word), key)));
      return { statusCode: 200, headers: {}, body };
    };
    const wechatPay = openWechatPayV2({
      openCertifiedTransport: () => transport,
      transport,
      merchant: secretVersions(certifiedMerchant()),
      signType: 'HMAC-SHA256',
      nonce: () => 'n',
      nowMs: () => CREATED_AT * 1000,
      startTimer: neverRuns,
    });
    return { wechatPay, calls: () => calls };
  },
  notification({ kind = 'payment', mchid, subMchid, spAppid, forged, altered } = {}) {
    const key = forged ? OTHER_KEY : API_V2_KEY;
    const changes = {
      ...(mchid !== undefined && { mch_id: mchid }),
      ...(subMchid !== undefined && { sub_mch_id: subMchid }),
      ...(spAppid !== undefined && {
        appid: spAppid,
        sub_appid: APPID,
        openid: 'oProvider',
        sub_openid: SUB_OPENID,
      }),
    };
    const text = kind === 'refund' ? v2Refund(key, changes) : notificationXml(changes, key);
    if (!altered) {
      return { headers: {}, body: Buffer.from(text) };
    }
    const changed =
      kind === 'refund' ? alterRefund(text) : text.replace('4200000001', '4200000002');
    return { headers: {}, body: Buffer.from(changed) };
  },
};

/** One bit of the first block: what comes out is no XML any more. */
const alterRefund = (xml: string) =>
  xml.replace(/(?<=<req_info><!\[CDATA\[)./, (first) => (first === 'A' ? 'B' : 'A'));

function v2Refund(key: string, changes: WireFields): string {
  return refundXml({}, { ...changes, req_info: encryptRefund({}, key) });
}

const V3_REFUSALS = {
  paid: [400, { code: 'ORDERPAID', message: 'why' }],
  closed: [400, { code: 'ORDER_CLOSED', message: 'why' }],
  'unknown-order': [404, { code: 'ORDER_NOT_EXIST', message: 'why' }],
  busy: [500, { code: 'SYSTEM_ERROR', message: 'why' }],
  permission: [403, { code: 'NO_AUTH', message: 'why' }],
  'too-short': [
    400,
    { code: 'PARAM_ERROR', message: 'why', detail: { field: '/body/time_expire', issue: 'why' } },
  ],
  'other-terms': [400, { code: 'INVALID_REQUEST', message: '商户订单号重复' }],
  'unknown-refund': [404, { code: 'RESOURCE_NOT_EXISTS', message: 'why' }],
  'short-balance': [403, { code: 'NOT_ENOUGH', message: 'why' }],
  'user-gone': [403, { code: 'USER_ACCOUNT_ABNORMAL', message: 'why' }],
  'too-often': [429, { code: 'FREQUENCY_LIMITED', message: 'why' }],
  'too-soon': [400, { code: 'INVALID_REQUEST', message: '退款间隔需大于1分钟' }],
  'number-taken': [400, { code: 'INVALID_REQUEST', message: '订单金额或退款金额与之前请求不一致' }],
} as const;

const forger = { serial: PUBLIC_KEY_ID, privateKey: newKeyPair().privateKey };

function v3Answer(word: Word) {
  switch (word.kind) {
    case 'created':
      return { json: { prepay_id: word.prepayId } };
    case 'order': {
      const { state, outTradeNo = 'order-0001' } = word;
      const isPaid = state === 'SUCCESS' || state === 'REFUND';
      const unpaid = { transaction_id: undefined, success_time: undefined, amount: undefined };
      return {
        json: transaction({
          trade_state: state,
          out_trade_no: outTradeNo,
          ...(isPaid ? {} : unpaid),
        }),
      };
    }
    case 'closed':
      return { status: 204 };
    case 'refused': {
      const [status, json] = V3_REFUSALS[word.because];
      return { status, json };
    }
    case 'refund': {
      const { status, refundFen = 800 } = word;
      return { json: refund({ status, amount: { total: 2800, refund: refundFen } }) };
    }
    case 'forged':
      return {
        json: { ...transaction(), ...refund({ status: 'PROCESSING' }), prepay_id: 'wx01' },
        stamp: { signer: forger },
      };
  }
}

const v3: Version = {
  name: 'v3',
  open(word) {
    const { wechatPay, requests } = v3Double(v3Answer(word), {
      merchant: secretVersions(v3Merchant()),
    });
    return { wechatPay, calls: () => requests.length };
  },
  notification({ kind = 'payment', mchid = MCHID, subMchid, spAppid, forged, altered } = {}) {
    const merchant =
      subMchid === undefined
        ? { mchid }
        : { mchid: undefined, sp_mchid: mchid, sub_mchid: subMchid };
    const payer =
      spAppid === undefined
        ? { sp_appid: APPID, payer: { openid: SUB_OPENID, sp_openid: SUB_OPENID } }
        : {
            sp_appid: spAppid,
            sub_appid: APPID,
            payer: { sp_openid: 'oProvider', sub_openid: SUB_OPENID },
          };
    const content = kind === 'refund' ? refund(merchant) : transaction({ ...merchant, ...payer });
    const message = v3Notification({
      content,
      key: API_V3_KEY,
      eventType: kind === 'refund' ? 'REFUND.SUCCESS' : 'TRANSACTION.SUCCESS',
      ...(forged && { signer: forger }),
    });
    if (!altered) {
      return message;
    }
    const body = message.body.toString().replace('2026-03-01', '2026-03-02');
    return { ...message, body: Buffer.from(body) };
  },
};

export const VERSIONS: readonly Version[] = [v2, v3];
