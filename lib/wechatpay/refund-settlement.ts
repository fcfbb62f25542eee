/** From WeChat's answer to a request to refund, or the failure of it, to what came of it. */
import {
  ConfigError,
  ServiceError,
  WechatPayMalformedMessageError,
  WechatPayServiceError,
} from '../errors.ts';
import {
  findRefundMismatch,
  type RefundEvidence,
  type RefundFacts,
  type RefundFailure,
  type RefundMismatch,
} from '../refund/refund.ts';
import { type Delivery, watchDelivery } from './delivery.ts';
import type { RefundLookup, RefundResult } from './refund-results.ts';
import { type OwnersFault, WechatPayConfigError } from './remedy.ts';

/** What a code of WeChat's means for a request to refund. */
export type RefundMeaning =
  /** For good. `mayExist`: something else is known under the number, so only a query can tell. */
  | { readonly kind: 'refused'; readonly mayExist?: boolean }
  | { readonly kind: 'balance' }
  | { readonly kind: 'owner'; readonly fault: OwnersFault }
  /** The same again later. `mayBeDone`: WeChat may have carried it out all the same. */
  | { readonly kind: 'again'; readonly mayBeDone: boolean; readonly slower?: boolean };

/** For a code that nobody documents: nothing is concluded from it. */
const UNHEARD_OF: RefundMeaning = { kind: 'again', mayBeDone: true };

/** WeChat's own refusal. */
export interface Refusal {
  readonly code: string;
  readonly text: string;
}

export type RefundAnswer =
  | { readonly kind: 'accepted'; readonly refund: RefundEvidence }
  | ({ readonly kind: 'refusal' } & Refusal);

/** A refusal that came before WeChat read the request: nothing was carried out. */
export class NotCarriedOutError extends ConfigError {}

/**
 * Runs one request to refund and says what came of it.
 *
 * @param attempt sends it through a transport that is watched; whatever it throws after that is a
 * result.
 * @param meaningOf what a code of this API version means; nothing for one that is not known.
 * @throws what is no error of ours, while nothing was sent.
 */
export async function settleRefund(
  attempt: (watch: Delivery['watch']) => Promise<RefundAnswer>,
  meaningOf: (refusal: Refusal) => RefundMeaning | undefined,
): Promise<RefundResult> {
  const delivery = watchDelivery();
  try {
    const answer = await attempt(delivery.watch);
    return answer.kind === 'accepted'
      ? answer
      : judgeRefusal(answer, meaningOf(answer) ?? UNHEARD_OF, delivery.othersMayHaveReached());
  } catch (error) {
    return judgeError(error, delivery, meaningOf);
  }
}

/** A verified refusal. */
function judgeRefusal(
  { code, text }: Refusal,
  meaning: RefundMeaning,
  othersMayHaveReached: boolean,
): RefundResult {
  const failure: RefundFailure = { code, message: text };
  switch (meaning.kind) {
    case 'refused': {
      const mayHaveReached = othersMayHaveReached || meaning.mayExist === true;
      return { kind: 'refused', failure, mayHaveReached };
    }
    case 'balance':
      return {
        kind: 'waiting',
        waitingFor: 'BALANCE',
        failure,
        mayHaveReached: othersMayHaveReached,
      };
    case 'owner':
      return waitingForOwner(
        failure,
        othersMayHaveReached,
        ownersError(meaning.fault, { outcome: 'rejected', code, text }),
      );
    case 'again': {
      const mayHaveReached = othersMayHaveReached || meaning.mayBeDone;
      return { kind: 'unknown', failure, mayHaveReached, slower: meaning.slower === true };
    }
  }
}

function judgeError(
  error: unknown,
  delivery: Delivery,
  meaningOf: (refusal: Refusal) => RefundMeaning | undefined,
): RefundResult {
  const mayHaveReached = saysNothingWasDone(error)
    ? delivery.othersMayHaveReached()
    : delivery.mayHaveReached();
  const failure = failureOf(error);
  const meaning = isRefusal(error)
    ? meaningOf({ code: error.wechatCode, text: error.wechatText })
    : undefined;
  if (isRefusal(error) && meaning?.kind === 'owner') {
    const { outcome, wechatCode: code, wechatText: text } = error;
    return waitingForOwner(
      failure,
      mayHaveReached,
      ownersError(meaning.fault, { outcome, code, text }),
    );
  }
  if (error instanceof ConfigError) {
    return waitingForOwner(failure, mayHaveReached, error);
  }
  if (!(error instanceof ServiceError) && !mayHaveReached) {
    throw error;
  }
  const slower = meaning?.kind === 'again' && meaning.slower === true;
  return { kind: 'unknown', failure, mayHaveReached, slower, cause: error };
}

const isRefusal = (error: unknown) =>
  error instanceof WechatPayServiceError || error instanceof WechatPayConfigError;

const saysNothingWasDone = (error: unknown) =>
  error instanceof NotCarriedOutError ||
  (error instanceof WechatPayConfigError && error.outcome === 'rejected');

const ownersError = (
  { fault, where }: OwnersFault,
  { outcome, code, text }: Refusal & Pick<WechatPayConfigError, 'outcome'>,
) => new WechatPayConfigError(fault, where, { outcome, wechatCode: code, wechatText: text });

const waitingForOwner = (
  failure: RefundFailure,
  mayHaveReached: boolean,
  cause: unknown,
): RefundResult => ({ kind: 'waiting', waitingFor: 'CONFIG', failure, mayHaveReached, cause });

function failureOf(error: unknown): RefundFailure {
  if (isRefusal(error) && error.wechatCode !== '') {
    return { code: error.wechatCode, message: error.wechatText };
  }
  return error instanceof ServiceError
    ? { code: error.code, message: error.message }
    : { code: 'INTERNAL_ERROR', message: 'the answer could not be processed' };
}

/**
 * A verified answer contradicts what was asked about: WeChat knows a number for another refund. The
 * message names the field; its values are for the log, because an amount is nobody's secret.
 */
export class RefundMismatchError extends WechatPayMalformedMessageError {
  readonly field: RefundMismatch['field'];
  readonly expected: string | number;
  readonly observed: string | number;

  constructor(mismatch: RefundMismatch) {
    const { field, expected, observed } = mismatch;
    super(`the answer is about another refund: ${field} is ${observed}, not ${expected}`);
    this.field = field;
    this.expected = expected;
    this.observed = observed;
  }
}

/** @throws {RefundMismatchError} unless WeChat speaks of the refund that was asked about. */
export function assertSameRefund(
  { refundFen, ...refund }: RefundLookup | RefundFacts,
  evidence: RefundEvidence,
): RefundEvidence {
  const expected = { ...refund, refundFen: refundFen ?? evidence.refundFen };
  const mismatch = findRefundMismatch(expected, evidence);
  if (mismatch) {
    throw new RefundMismatchError(mismatch);
  }
  return evidence;
}
