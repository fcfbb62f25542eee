/** The gate of `api.mch.weixin.qq.com` v2: reads and verifies a request, runs the operation, signs the answer. */
import { answerXml } from './answer-xml.ts';
import { closeOrder } from './closeorder.ts';
import { downloadBill } from './downloadbill.ts';
import { answerWithFault } from './faulty-call.ts';
import { reportOwnSignature } from '../explain/v2/signature.ts';
import { judgeCertificate, needsCertificate } from '../host/client-certificate.ts';
import type { Fault, FaultKind, FaultPoint } from '../host/faults.ts';
import { alterAmount, alterMerchant, tamper } from './forgery.ts';
import type { Answer, Reply, Request } from '../host/http.ts';
import { isSpoiling, spoil } from '../host/spoil.ts';
import { describeAnswer, type Message } from '../host/messages.ts';
import { queryOrder } from './orderquery.ts';
import type { SignType } from '../book/order-terms.ts';
import { isPaid } from '../book/trade-state.ts';
import { randomText } from '../book/random.ts';
import { type ErrorCode, failWith, isErrorCode, type Outcome } from './errors.ts';
import { openRequest } from './open-request.ts';
import { refundOrder } from './refund.ts';
import { findRefundsNamed, queryRefunds } from './refundquery.ts';
import { placeOrder } from './unifiedorder.ts';
import { nameInV2 } from '../host/error-names.ts';
import type { Service } from '../host/service.ts';
import { type Fields, signFields } from './wire.ts';

interface Operation {
  readonly point: FaultPoint &
    ('unifiedorder' | 'orderquery' | 'closeorder' | 'refund' | 'refundquery');
  readonly run: (service: Service, fields: Fields, signType: SignType) => Outcome;
}

const OPERATIONS: Record<string, Operation> = {
  '/pay/unifiedorder': { point: 'unifiedorder', run: placeOrder },
  '/pay/orderquery': { point: 'orderquery', run: queryOrder },
  '/pay/closeorder': { point: 'closeorder', run: closeOrder },
  '/secapi/pay/refund': { point: 'refund', run: refundOrder },
  '/pay/refundquery': { point: 'refundquery', run: queryRefunds },
};

/** Its answers are not signed and are no XML, so it has a gate of its own. */
const BILL_PATH = '/pay/downloadbill';

export const isPayPath = (path: string) => path in OPERATIONS || path === BILL_PATH;

/** Answers one call of the pay API and keeps it in the message log. */
export function answerPayApi(service: Service, request: Request): Reply {
  const operation = OPERATIONS[request.path];
  const message = service.messages.add({
    from: 'merchant',
    to: 'wechat',
    kind: operation?.point ?? 'downloadbill',
    method: request.method,
    path: request.url,
    request: { headers: request.headers, body: request.body.toString('utf8') },
  });
  const reply = operation
    ? answerOperation(service, request, operation, message)
    : downloadBill(service, request, message);
  if (typeof reply === 'string') {
    message.note = reply === 'drop' ? 'the connection was cut' : 'no answer was sent';
  } else {
    message.response = describeAnswer(reply);
  }
  if (needsCertificate(request.path) && !request.tls) {
    message.note = message.note ? `${message.note}. Also: ${PLAIN}` : PLAIN;
  }
  return reply;
}

const PLAIN =
  'over plain http no client certificate can be shown; WeChat demands one here, as the simulator does over TLS';

function answerOperation(
  service: Service,
  request: Request,
  operation: Operation,
  message: Message,
): Reply {
  if (needsCertificate(request.path) && judgeCertificate(service, request) === 'stranger') {
    message.note = 'the client certificate is that of another merchant';
    return answerXml({ return_code: 'FAIL', return_msg: 'certificate not match' });
  }
  const opened = openRequest(service, request, message);
  const { signType, subMerchant } = opened;
  const sealing = { signType, subMerchant, message };
  if ('refused' in opened) {
    return seal(service, opened.refused, sealing);
  }
  const { fields } = opened;
  const { point, run } = operation;
  const order = findRefundsNamed(service, fields).order ?? findOrder(service, fields);
  const isPossible = (kind: FaultKind) =>
    kind !== 'probe' && (kind !== 'wrong-amount' || (order !== undefined && isPaid(order)));
  const totalFen = point === 'unifiedorder' ? Number(fields['total_fee']) : order?.totalFen;
  const fault =
    service.faults.take(point, isPossible) ?? service.prices.take(point, totalFen, isPossible);
  if (!fault) {
    return seal(service, run(service, fields, signType), sealing);
  }
  message.fault = fault.kind;
  if (isSpoiling(fault)) {
    return spoil(fault, () => seal(service, run(service, fields, signType), sealing), message);
  }
  const perform = (change?: (sealed: Fields) => Fields) =>
    seal(service, run(service, fields, signType), sealing, change);
  const forgeries = {
    tamper,
    'wrong-amount': (sealed: Fields) => alterAmount(sealed, service.merchant.apiV2Key, signType),
    'wrong-merchant': (sealed: Fields) =>
      alterMerchant(sealed, service.merchant.apiV2Key, signType),
  };
  return answerWithFault(fault, {
    refuse: () => seal(service, failWith(nameFault(fault), fault.point, fault), sealing),
    perform: () => perform(),
    forge: (kind) => perform(forgeries[kind]),
  });
}

/** A fault may bear a name of API v3. */
function nameFault({ code = 'SYSTEMERROR', point }: Fault): ErrorCode {
  const name = isErrorCode(code) ? code : nameInV2(code, point);
  return isErrorCode(name) ? name : 'SYSTEMERROR';
}

const findOrder = ({ orders }: Pick<Service, 'orders'>, fields: Fields) =>
  fields['transaction_id']
    ? orders.findByTransactionId(fields['transaction_id'])
    : orders.find(fields['out_trade_no'] ?? '');

interface Sealing {
  readonly signType: SignType;
  /** `sub_mch_id` and `sub_appid`, given back as they came. */
  readonly subMerchant: Fields;
  readonly message: Message;
}

/** Puts an outcome into WeChat's envelope, signed with the algorithm of the request. */
function seal(
  { merchant, randomBytes }: Pick<Service, 'merchant' | 'randomBytes'>,
  outcome: Outcome,
  { signType, subMerchant, message }: Sealing,
  change: (sealed: Fields) => Fields = (sealed) => sealed,
): Answer {
  if (outcome.kind === 'gateway') {
    if (outcome.note) {
      message.note = outcome.note;
    }
    return answerXml({ return_code: 'FAIL', return_msg: outcome.text });
  }
  const head = { return_code: 'SUCCESS', return_msg: 'OK' };
  const identity = {
    appid: merchant.appid,
    mch_id: merchant.mchid,
    ...subMerchant,
    nonce_str: randomText(randomBytes, 16),
  };
  const result: Fields =
    outcome.kind === 'ok'
      ? { result_code: 'SUCCESS', ...outcome.fields }
      : { result_code: 'FAIL', err_code: outcome.code, err_code_des: outcome.text };
  const signed = { ...head, ...identity, ...result };
  const sign = signFields(signed, merchant.apiV2Key, signType);
  message.answerSignature = reportOwnSignature(signed, sign, signType);
  return answerXml(change({ ...head, ...identity, sign, ...result }));
}
