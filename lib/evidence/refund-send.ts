/** Sends a refund to WeChat, in its order's turn, and records what came of it. */
import { ConfigError, ServiceError, WechatPayTransportError } from '../errors.ts';
import { DOUBT_SECONDS, sendPauseSeconds } from '../refund/pace.ts';
import type { Refund, RefundFailure, WaitingFor } from '../refund/refund.ts';
import { asSent } from '../refund/request.ts';
import { SECONDS_BETWEEN_SENDS, turnFreeAt } from '../refund/rules.ts';
import { effectOfRefusal } from '../refund/transition.ts';
import { countFailure } from '../runtime/count-failure.ts';
import { describeError } from '../runtime/log.ts';
import { markBalanceGood, markBalanceShort, probeFreeAt } from '../table/balance.ts';
import { changeRefund } from '../table/refund-change.ts';
import type { RefundSituation } from '../table/refunds.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { CallOptions } from '../wechatpay/operations.ts';
import type { RefundResult } from '../wechatpay/refund-results.ts';
import {
  logFields,
  readAgain,
  recordRefundEvidence,
  type RefundRecordContext,
} from './refund-record.ts';

export interface RefundSendContext extends RefundRecordContext {
  readonly wechatPay: WechatPayOf<'refund'>;
}

/** Whoever crashes between the turn and the answer is followed by reconcile after this. */
export const ANSWER_SECONDS = 60;

/** What may be sent now, or what it waits for and until when. */
export type SendPlan =
  | { readonly kind: 'send'; readonly isProbe: boolean }
  | { readonly kind: 'wait'; readonly waitingFor: WaitingFor; readonly untilEpochSeconds: number };

/** Whether the order's turn is free, and, while the balance is short, the merchant's turn to ask. */
export function planSend(
  {
    order,
    shortBalance,
  }: Pick<RefundSituation, 'shortBalance'> & {
    readonly order: NonNullable<RefundSituation['order']>;
  },
  nowEpochSeconds: number,
): SendPlan {
  if (shortBalance && probeFreeAt(shortBalance, nowEpochSeconds) > nowEpochSeconds) {
    const pause = sendPauseSeconds({ waitingFor: 'BALANCE', checks: 0 });
    return { kind: 'wait', waitingFor: 'BALANCE', untilEpochSeconds: nowEpochSeconds + pause };
  }
  const freeAt = turnFreeAt(order, nowEpochSeconds);
  return freeAt > nowEpochSeconds
    ? { kind: 'wait', waitingFor: 'PAUSE', untilEpochSeconds: freeAt }
    : { kind: 'send', isProbe: shortBalance !== undefined };
}

/** What is known before a refund is sent. */
export interface Attempt {
  /** The refund before it was marked as sent. */
  readonly before: Refund;
  /** WeChat's query did not know the refund just now. */
  readonly isDenied: boolean;
  readonly isProbe: boolean;
}

/**
 * Sends a refund that is in its order's index of open work, if its turn is free.
 *
 * @returns the refund as it is after it: sent, put off, or what somebody else made of it.
 */
export async function sendInTurn(
  context: RefundSendContext,
  situation: Parameters<typeof planSend>[0] & { readonly refund: Refund },
  isDenied: boolean,
  options: CallOptions,
): Promise<Refund> {
  const { table, nowMs } = context;
  const { refund } = situation;
  const now = Math.floor(nowMs() / 1000);
  const plan = planSend(situation, now);
  if (plan.kind === 'wait') {
    return putOff(context, refund, plan);
  }
  const turns = { nowEpochSeconds: now, order: true, probe: plan.isProbe };
  const sent = asSent(refund, now, ANSWER_SECONDS);
  const taken = await changeRefund(table, refund, sent, { turns, nowMs: nowMs() });
  switch (taken.change) {
    case 'written': {
      const attempt = { before: refund, isDenied, isProbe: plan.isProbe };
      return sendRefund(context, taken.refund, attempt, options);
    }
    case 'turn-taken': {
      const untilEpochSeconds = now + SECONDS_BETWEEN_SENDS;
      return putOff(context, refund, { kind: 'wait', waitingFor: 'PAUSE', untilEpochSeconds });
    }
    case 'changed-meanwhile':
    case 'above-payment':
      return readAgain(table, refund);
  }
}

async function putOff(
  { table, log, nowMs }: RefundRecordContext,
  refund: Refund,
  { waitingFor, untilEpochSeconds }: Extract<SendPlan, { kind: 'wait' }>,
): Promise<Refund> {
  if (waitingFor === 'BALANCE') {
    log.count('RefundWaitsForBalance');
  }
  const after = { ...refund, waitingFor, nextCheckAtEpochSeconds: untilEpochSeconds };
  const { change, refund: changed } = await changeRefund(table, refund, after, { nowMs: nowMs() });
  return change === 'written' ? changed : readAgain(table, refund);
}

/**
 * Calls WeChat for a refund that was marked as sent, and records the outcome. A refusal ends it only
 * when no attempt under its number may have been carried out; else its money stays reserved.
 *
 * @returns the refund as it is after it. Never fails for what WeChat does or does not say.
 */
export async function sendRefund(
  context: RefundSendContext,
  marked: Refund,
  attempt: Attempt,
  options: CallOptions,
): Promise<Refund> {
  const { table, nowMs } = context;
  const result = await call(context, marked, options);
  if (result.kind === 'accepted') {
    if (attempt.isProbe) {
      await markBalanceGood(table, marked);
    }
    return (await recordRefundEvidence(context, marked, result.refund)).refund;
  }
  report(context, marked, result);
  const now = Math.floor(nowMs() / 1000);
  if (result.kind === 'waiting' && result.waitingFor === 'BALANCE') {
    await markBalanceShort(table, marked, now);
  }
  const mayHaveReached = attempt.before.mayHaveReached || result.mayHaveReached;
  const isOver = result.kind === 'refused' && !result.mayHaveReached && mayEnd(attempt, now);
  const after = isOver
    ? refused(marked, result.failure)
    : held(marked, result, { mayHaveReached, checks: attempt.before.checks, now });
  const { change, refund } = await changeRefund(table, marked, after, {
    ...(isOver && { effect: effectOfRefusal(marked) }),
    nowMs: nowMs(),
  });
  return change === 'written' ? refund : readAgain(table, marked);
}

/**
 * Whether a refusal is the last word: nothing under this number can have reached WeChat before, or
 * its query denied it as well, ten minutes after the last attempt.
 */
function mayEnd({ before, isDenied }: Attempt, nowEpochSeconds: number): boolean {
  const { mayHaveReached, sentAtEpochSeconds = 0 } = before;
  return !mayHaveReached || (isDenied && nowEpochSeconds >= sentAtEpochSeconds + DOUBT_SECONDS);
}

const refused = (refund: Refund, failure: RefundFailure): Refund => ({
  ...refund,
  status: 'CLOSED',
  failure,
  nextCheckAtEpochSeconds: undefined,
});

type NotAccepted = Exclude<RefundResult, { kind: 'accepted' }>;

/** A refund that stays `PENDING`, with its money reserved. */
function held(
  refund: Refund,
  result: NotAccepted,
  { mayHaveReached, checks, now }: { mayHaveReached: boolean; checks: number; now: number },
): Refund {
  const waitingFor = result.kind === 'waiting' ? result.waitingFor : undefined;
  const isSlower = result.kind === 'unknown' && result.slower;
  const pause =
    result.kind === 'refused' ? DOUBT_SECONDS : sendPauseSeconds({ waitingFor, checks }, isSlower);
  return {
    ...refund,
    waitingFor,
    failure: result.failure,
    mayHaveReached,
    checks: checks + 1,
    nextCheckAtEpochSeconds: now + pause,
  };
}

/** WeChat's word about the request; a failure to get it is one of the outcomes. */
async function call(
  { wechatPay }: RefundSendContext,
  refund: Refund,
  options: CallOptions,
): Promise<RefundResult> {
  const { refundRequest } = refund;
  try {
    if (!refundRequest) {
      throw new ConfigError(`the row of refund ${refund.outRefundNo} has no request to send`);
    }
    return await wechatPay(refund).refund({ ...refund, refundRequest }, options);
  } catch (cause) {
    const failure = {
      code: cause instanceof ServiceError ? cause.code : 'INTERNAL_ERROR',
      message: 'nothing was heard of WeChat Pay',
    };
    if (cause instanceof ConfigError) {
      return { kind: 'waiting', waitingFor: 'CONFIG', failure, mayHaveReached: false, cause };
    }
    const wasSent = !(cause instanceof WechatPayTransportError) || cause.outcome === 'unknown';
    return { kind: 'unknown', failure, mayHaveReached: wasSent, slower: false, cause };
  }
}

function report({ log }: RefundSendContext, refund: Refund, result: NotAccepted): void {
  const { code, message } = result.failure;
  const cause = 'cause' in result && result.cause !== undefined ? describeError(result.cause) : {};
  const fields = {
    ...cause,
    ...logFields(refund),
    wechatCode: code,
    wechatText: message,
    mayHaveReached: result.mayHaveReached,
  };
  switch (result.kind) {
    case 'refused':
      log.warn('WeChat refused a refund', fields);
      break;
    case 'waiting':
      log.error(
        result.waitingFor === 'BALANCE'
          ? "the merchant's balance is too short for a refund: recharge it"
          : 'a refund waits for a setting that only the owner can mend',
        fields,
      );
      log.count(result.waitingFor === 'BALANCE' ? 'RefundWaitsForBalance' : 'ConfigError');
      break;
    case 'unknown':
      log.warn('nobody knows yet what became of a refund', fields);
      countFailure(log, result.cause);
      break;
  }
}
