/**
 * Every way a call can fail, each with a stable code. Expected outcomes (a duplicate, a stale
 * answer) are values elsewhere; an error means "cannot continue".
 */

import type {
  ErrorCode,
  LoginErrorCode,
  OrderConflictCode,
  RequestErrorCode,
} from './error-codes.ts';

export type { ErrorCode, LoginErrorCode, MerchantErrorCode } from './error-codes.ts';

/** What WeChat did with a request that failed: nothing reached it, it refused, or nobody can say. */
export type Outcome = 'not-sent' | 'rejected' | 'unknown';

/** Values that the text of an error names, such as the field that is wrong. Never secrets. */
export type ErrorParameters = Readonly<Record<string, string | number>>;

interface ErrorOptions {
  readonly cause?: unknown;
  readonly parameters?: ErrorParameters;
  /** Why, for the log; never shown to a buyer. */
  readonly reason?: string;
}

/** Base of all errors that this service raises on purpose. */
export abstract class ServiceError extends Error {
  readonly code: ErrorCode;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  readonly parameters: ErrorParameters;

  constructor(code: ErrorCode, retryable: boolean, options: ErrorOptions = {}) {
    super(options.reason ?? describe(code, options.parameters), { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = retryable;
    this.parameters = options.parameters ?? {};
  }
}

/** `AMOUNT_INVALID (field=totalFen, min=1, max=100)`: for the log, where no better reason is known. */
function describe(code: ErrorCode, parameters: ErrorParameters = {}): string {
  const { problem, ...named } = parameters;
  const values = Object.entries(named).map(([name, value]) => `${name}=${value}`);
  if (problem !== undefined) {
    values.push(`problem=${fillIn(String(problem), named)}`);
  }
  return values.length === 0 ? code : `${code} (${values.join(', ')})`;
}

/** A text with each `{name}` replaced by the parameter of that name. */
export function fillIn(template: string, parameters: ErrorParameters): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name] ?? ''));
}

/** The request itself is wrong; sending it again unchanged cannot succeed. */
export class InvalidRequestError extends ServiceError {
  constructor(code: RequestErrorCode, parameters?: ErrorParameters, cause?: unknown) {
    super(code, false, { ...(parameters && { parameters }), cause });
  }
}

/** The caller has not proved who they are. */
export class UnauthenticatedError extends ServiceError {
  constructor(code: 'UNAUTHENTICATED' | 'TOKEN_EXPIRED' = 'UNAUTHENTICATED') {
    super(code, false);
  }
}

/** There is no such order for this buyer; another buyer's order gives the same error. */
export class OrderNotFoundError extends ServiceError {
  constructor() {
    super('ORDER_NOT_FOUND', false);
  }
}

/** The order has no refund of this number. */
export class RefundNotFoundError extends ServiceError {
  constructor() {
    super('REFUND_NOT_FOUND', false);
  }
}

/** A route of the merchant's own systems was reached without the check of who calls (AWS_IAM). */
export class CallerUnknownError extends ServiceError {
  constructor() {
    super('CALLER_UNKNOWN', false);
  }
}

/** The order's state, price or content does not allow what was asked. */
export class OrderConflictError extends ServiceError {
  constructor(code: OrderConflictCode, parameters?: ErrorParameters) {
    super(code, false, parameters && { parameters });
  }
}

/** The buyer leaves too many orders unpaid; paying or closing one, or waiting, makes room. */
export class TooManyOpenOrdersError extends ServiceError {
  constructor(limit: number) {
    super('TOO_MANY_OPEN_ORDERS', true, { parameters: { limit } });
  }
}

/** WeChat takes no payment from the buyer's account: nobody but the buyer can mend that. */
export class BuyerAccountError extends ServiceError {
  constructor(reason: string) {
    super('BUYER_ACCOUNT_REFUSED', false, { reason });
  }
}

/** `code2session` refused the login code or is not answering as it should. */
export class LoginError extends ServiceError {
  constructor(code: LoginErrorCode, reason: string) {
    super(code, code === 'WEIXIN_BUSY' || code === 'LOGIN_TOO_OFTEN', { reason });
  }
}

/**
 * No usable answer came back from WeChat: connection, time or HTTP level. `unknown` when any of the
 * attempts may have reached WeChat.
 */
export class WechatPayTransportError extends ServiceError {
  readonly outcome: Exclude<Outcome, 'rejected'>;
  readonly attempts: number;

  constructor(
    outcome: Exclude<Outcome, 'rejected'>,
    reason: string,
    cause?: unknown,
    attempts = 1,
  ) {
    super('WECHAT_UNREACHABLE', true, { reason, cause });
    this.outcome = outcome;
    this.attempts = attempts;
  }
}

/**
 * WeChat answered, and its answer is an error. Keeps WeChat's own code and text. Only what is
 * `lasting` is told to the caller as refused: everything else may be repeated.
 */
export class WechatPayServiceError extends ServiceError {
  readonly outcome: Exclude<Outcome, 'not-sent'>;
  /** WeChat's `err_code` (v2) or `code` (v3); empty for `return_code` `FAIL` without one. */
  readonly wechatCode: string;
  readonly wechatText: string;

  constructor(
    outcome: Exclude<Outcome, 'not-sent'>,
    wechatCode: string,
    wechatText: string,
    isLasting = outcome === 'rejected',
  ) {
    super(isLasting ? 'WECHAT_PAY_REFUSED' : 'WECHAT_PAY_BUSY', !isLasting, {
      reason: `WeChat Pay answered ${wechatCode || 'return_code FAIL'}: ${wechatText}`,
    });
    this.outcome = outcome;
    this.wechatCode = wechatCode;
    this.wechatText = wechatText;
  }
}

/**
 * WeChat answered without an error of its own, but what is needed is not there yet: the same is
 * asked again later.
 */
export class WechatPayNotReadyError extends ServiceError {
  readonly outcome = 'unknown';

  constructor(reason: string) {
    super('WECHAT_PAY_BUSY', true, { reason });
  }
}

/**
 * A message's signature is missing or wrong. `reason` names the likely mistake for the log; it
 * quotes nothing from the message and never a key. For an answer the outcome is unknown: the
 * request may have been carried out.
 */
export class WechatPaySignatureError extends ServiceError {
  readonly outcome = 'unknown';
  /** WeChat itself sent a wrong signature to see whether it is refused (签名探测流量). */
  readonly isProbe: boolean;

  constructor(reason: string, { isProbe = false }: { readonly isProbe?: boolean } = {}) {
    super('SIGNATURE_INVALID', false, { reason });
    this.isProbe = isProbe;
  }
}

/** A message is not what the protocol allows; `reason` names the rule, not the content. */
export class WechatPayMalformedMessageError extends ServiceError {
  readonly outcome = 'unknown';

  constructor(reason: string, cause?: unknown) {
    super('MALFORMED_MESSAGE', false, { reason, cause });
  }
}

/** Where the owner mends a mistake; each is a field of the log line. */
export type WhereToMend = Readonly<Record<'secret' | 'field' | 'consolePage', string>>;

/**
 * The table or the secret store is slow, throttles or is down. Nothing was decided: the same request
 * under the same key goes on where this one ended.
 */
export class TemporarilyUnavailableError extends ServiceError {
  constructor(reason: string, cause?: unknown) {
    super('TEMPORARILY_UNAVAILABLE', true, { reason, cause });
  }
}

/** The deployment is set up wrongly. `reason` names the setting or field, never its value. */
export class ConfigError extends ServiceError {
  constructor(reason: string, cause?: unknown, where?: Partial<WhereToMend>) {
    super('CONFIG_ERROR', false, { reason, cause, ...(where && { parameters: where }) });
  }
}

/**
 * A row of an order is there and is none: an attribute is missing or of another form. Names the
 * row and the attribute, never a value. Nothing about the order is decided until a person mends it.
 */
export class UnreadableRowError extends ServiceError {
  constructor(row: string, attribute: string, problem: string) {
    super('ORDER_UNREADABLE', false, {
      reason: `the row ${row} cannot be read: ${problem}`,
      parameters: { row, attribute },
    });
  }
}
