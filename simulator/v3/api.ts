/** The gate of API v3: verifies a request, runs the operation, signs the answer. */
import type { Fault } from '../host/faults.ts';
import { answerBill } from '../host/bill-answer.ts';
import { hintAtAddress } from '../host/nearest-address.ts';
import { answerJson, type Answer, type Reply, type Request } from '../host/http.ts';
import { describeAnswer, type Message } from '../host/messages.ts';
import { isSpoiling, spoil } from '../host/spoil.ts';
import { isPaid } from '../book/trade-state.ts';
import type { Service } from '../host/service.ts';
import { explainAnswerKey } from './answer-key.ts';
import { failAs, failV3, type V3Outcome } from './errors.ts';
import { alterAmountV3, alterMerchantV3, tamperAnswer } from './forgery.ts';
import { refuseRequest } from './open-request.ts';
import type { V3Operation } from './operation.ts';
import { findOperation } from './operations.ts';
import { reportAlteredBody, type SignatureFault, signMessage } from './sign.ts';
import type { WechatKeys } from '../book/wechat-keys.ts';

const METHODS = ['GET', 'POST'];
const SLOW_ANSWER_SECONDS = 3;

/** Answers one call and keeps it in the message log. */
export function answerV3Api(service: Service, request: Request): Reply {
  const operation = findOperation(service, request);
  const message = service.messages.add({
    from: 'merchant',
    to: 'wechat',
    kind: operation?.point ?? request.path,
    method: request.method,
    path: request.url,
    request: { headers: request.headers, body: request.body.toString('utf8') },
  });
  const reply = decide(service, request, operation, message);
  if (typeof reply === 'string') {
    message.note = reply === 'drop' ? 'the connection was cut' : 'no answer was sent';
  } else {
    message.response = describeAnswer(reply);
  }
  return reply;
}

function decide(
  service: Service,
  request: Request,
  operation: V3Operation | undefined,
  message: Message,
): Reply {
  const { keys, faults, prices } = service;
  if (!keys) {
    message.note = 'no keys for API v3';
    const text = 'API v3 needs the v3 values of the merchant file and the file of WeChat Pay keys';
    return answerJson(501, { code: 'SYSTEM_ERROR', message: `simulator: ${text}` });
  }
  const seal = (outcome: V3Outcome, fault?: Fault) =>
    answer(service, keys, request, outcome, message, fault);
  if (!operation) {
    const method = METHODS.find((one) => findOperation(service, { ...request, method: one }));
    if (method) {
      const text = `simulator: ${request.method} ${request.path} is not possible: use ${method}`;
      const refusal = failV3('INVALID_REQUEST', { text, note: `use ${method}` });
      return seal({ ...refusal, status: 405 });
    }
    const hint = hintAtAddress(request.method, request.path);
    const note = hint ? `not served: ${hint}` : 'not served';
    const text = `simulator: ${request.method} ${request.path} is ${note}`;
    return seal(failV3('RESOURCE_NOT_EXISTS', { text, note }));
  }
  const refused = refuseRequest(service, request, message);
  if (refused) {
    return seal(refused);
  }
  const { point, totalFen } = operation;
  const isPossible = (kind: Fault['kind']) => canHappen(operation, kind);
  const fault = faults.take(point, isPossible) ?? prices.take(point, totalFen, isPossible);
  if (!fault) {
    return seal(operation.run());
  }
  message.fault = fault.kind;
  if (isSpoiling(fault)) {
    return spoil(fault, () => seal(operation.run()), message);
  }
  return answerWithFault(fault, operation, seal);
}

function canHappen({ point, order, runFalsely }: V3Operation, kind: Fault['kind']): boolean {
  if (runFalsely && (kind === 'wrong-amount' || kind === 'wrong-merchant')) {
    return true;
  }
  if (kind === 'wrong-amount') {
    return order !== undefined && isPaid(order);
  }
  return kind !== 'wrong-merchant' || point === 'orderquery';
}

function answerWithFault(
  fault: Fault,
  { run, runFalsely }: V3Operation,
  seal: (outcome: V3Outcome, fault?: Fault) => Answer,
): Reply {
  switch (fault.kind) {
    case 'error':
      return seal(failAs(fault), fault);
    case 'timeout-before':
      return 'hold';
    case 'timeout-after':
      run();
      return 'hold';
    case 'drop':
      return 'drop';
    case 'late':
      return { ...seal(run()), delayMs: (fault.seconds ?? SLOW_ANSWER_SECONDS) * 1000 };
    case 'wrong-amount':
    case 'wrong-merchant':
      return runFalsely ? seal(runFalsely(fault.kind)) : seal(run(), fault);
    default:
      return seal(run(), fault);
  }
}

/** What is signed, and what is sent: the same, but for a fault. */
function writeBodies(outcome: Exclude<V3Outcome, { kind: 'file' }>, fault: Fault | undefined) {
  if (outcome.kind === 'ok' && outcome.status === 204) {
    return { signed: '', sent: '' };
  }
  const body =
    outcome.kind === 'ok'
      ? outcome.body
      : {
          code: outcome.code,
          ...(outcome.detail === undefined ? {} : { detail: outcome.detail }),
          message: outcome.text,
        };
  const isSuccess = outcome.kind === 'ok';
  const write = (value: object) => JSON.stringify(value);
  switch (fault?.kind) {
    case 'tamper':
      return { signed: write(body), sent: write(tamperAnswer(body)) };
    case 'wrong-amount':
    case 'wrong-merchant': {
      const alter = fault.kind === 'wrong-amount' ? alterAmountV3 : alterMerchantV3;
      const wrong = write(isSuccess ? alter(body) : body);
      return { signed: wrong, sent: wrong };
    }
    default:
      return { signed: write(body), sent: write(body) };
  }
}

function answer(
  service: Service,
  keys: WechatKeys,
  { headers }: Request,
  outcome: V3Outcome,
  message: Message,
  fault: Fault | undefined,
): Answer {
  if (outcome.kind === 'file') {
    return answerBill(outcome.file, message, fault?.kind === 'tamper');
  }
  const { signed, sent } = writeBodies(outcome, fault);
  const isBodyless = fault?.kind === 'tamper' && sent === '';
  const signatureFault: SignatureFault =
    fault?.kind === 'probe' ? 'probe' : isBodyless ? 'altered' : undefined;
  const named = [headers['wechatpay-serial']].flat()[0];
  const key = keys.keyForAnswer(named);
  const head = signMessage(key, service, signed, signatureFault);
  const unverifiable = explainAnswerKey(keys.mode(), named, key);
  const report = signed === sent ? head.report : reportAlteredBody(head.report);
  message.answerSignature = unverifiable
    ? { ...report, likelyCauses: [...(report.likelyCauses ?? []), unverifiable] }
    : report;
  const isUnsigned = fault?.signed === false;
  if (isUnsigned) {
    delete message.answerSignature;
  }
  const notes = [
    ...(outcome.kind === 'error' && outcome.note ? [`${outcome.code}: ${outcome.note}`] : []),
    ...(isUnsigned ? ['the answer has no signature'] : unverifiable ? [unverifiable.en] : []),
  ];
  if (notes.length > 0) {
    message.note = notes.join('. Also: ');
  }
  return {
    status: outcome.status,
    headers: {
      // Also with a 204, which has no body.
      'Content-Type': sent === '' ? 'application/json' : 'application/json; charset=utf-8',
      'Cache-Control': 'no-cache, must-revalidate',
      'Content-Language': 'zh-CN',
      'Request-ID': createRequestId(service, outcome.kind === 'error' ? outcome.internal : 0),
      ...(isUnsigned ? {} : head.headers),
    },
    body: sent,
  };
}

/** The digits after the hyphen are WeChat's internal error code. */
const createRequestId = ({ randomBytes }: Pick<Service, 'randomBytes'>, internal: number) =>
  `08${randomBytes(17).toString('hex').toUpperCase()}-${internal}`;
