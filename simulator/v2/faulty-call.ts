/** What faults make of a call of API v2, whatever it is about. */
import type { Fault } from '../host/faults.ts';
import type { Answer, Reply } from '../host/http.ts';

const SLOW_ANSWER_SECONDS = 3;

export interface FaultyCall {
  /** What the fault `error` answers, without effect. */
  readonly refuse: () => Answer;
  /** With its effect. */
  readonly perform: () => Answer;
  /** With its effect, and an answer that is not the truth. */
  readonly forge: (kind: 'tamper' | 'wrong-amount' | 'wrong-merchant') => Answer;
}

export function answerWithFault(fault: Fault, { refuse, perform, forge }: FaultyCall): Reply {
  switch (fault.kind) {
    case 'error':
      return refuse();
    case 'timeout-before':
      return 'hold';
    case 'timeout-after':
      perform();
      return 'hold';
    case 'drop':
      return 'drop';
    case 'late':
      return { ...perform(), delayMs: (fault.seconds ?? SLOW_ANSWER_SECONDS) * 1000 };
    case 'tamper':
    case 'wrong-amount':
    case 'wrong-merchant':
      return forge(fault.kind);
    default:
      throw new Error(`no such fault here: ${fault.kind}`);
  }
}
