/** How an exchange ended, from what was said in it. */
import type { Outcome, WechatMessage } from './messages.ts';
import { readV3Error, readXml } from './wechat-answers.ts';

interface Judgement {
  readonly outcome: Outcome;
  /** `200`, `SUCCESS`, `lost`, … */
  readonly result: string;
}

/** Faults that make an answer of WeChat one that must not be believed. */
const FORGERIES = new Set(['tamper', 'wrong-amount', 'wrong-merchant', 'probe']);

/** `ownStatus`: what the API answered to this notification, when it got there. */
export function judgeWechat(message: WechatMessage, ownStatus: number | undefined): Judgement {
  const { kind, response, fault, note } = message;
  if (kind === 'notify') {
    return judgeDelivery(note, ownStatus);
  }
  if (!response) {
    return fault === undefined
      ? { outcome: 'pending', result: '' }
      : { outcome: 'failed', result: fault };
  }
  if (fault !== undefined && FORGERIES.has(fault)) {
    return { outcome: 'refused', result: 'forged' };
  }
  const body = response.body;
  if (response.status >= 400) {
    return { outcome: 'refused', result: readV3Error(body)?.code ?? response.status.toString() };
  }
  const error = readXml(body, 'err_code') ?? /"errcode":(\d+)/.exec(body)?.[1];
  if (readXml(body, 'return_code') === 'FAIL') {
    return { outcome: 'refused', result: 'FAIL' };
  }
  if (error !== undefined && error !== '0') {
    return { outcome: 'refused', result: error };
  }
  const [, errMsg, detail = ''] = /"errMsg":"\w+:(ok|fail)\s?([^"]*)"/.exec(body) ?? [];
  if (errMsg === 'fail') {
    return { outcome: 'refused', result: detail };
  }
  return { outcome: 'ok', result: readTradeState(body) ?? 'ok' };
}

const readTradeState = (body: string) =>
  readXml(body, 'trade_state') ?? /"trade_state":"(\w+)"/.exec(body)?.[1];

/** WeChat's word for the delivery, or our own refusal, which says more. */
function judgeDelivery(note: string | undefined, ownStatus: number | undefined): Judgement {
  if (ownStatus !== undefined && ownStatus >= 400) {
    return { outcome: 'refused', result: `refused ${ownStatus}` };
  }
  const [word = ''] = (note ?? '').split(':');
  const outcomes: Record<string, Outcome> = {
    acknowledged: 'ok',
    '': 'pending',
    refused: 'refused',
  };
  return { outcome: outcomes[word] ?? 'failed', result: word.replaceAll('-', ' ') };
}

/** Of an HTTP status of the API; undefined: no answer yet. */
export function judgeStatus(status: number | undefined): Outcome {
  if (status === undefined) {
    return 'pending';
  }
  return status < 400 ? 'ok' : status < 500 ? 'refused' : 'failed';
}
