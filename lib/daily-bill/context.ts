/** What a run over the bill of a day works with. */
import type { EvidenceContext } from '../evidence/record.ts';
import type { Parties } from '../order/parties.ts';
import type { OpenTemporaryFiles } from '../runtime/temporary-files.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { Bills } from '../wechatpay/operations.ts';

export interface BillContext extends EvidenceContext {
  readonly wechatPay: WechatPayOf<'queryOrder' | 'queryRefund'>;
  readonly bills: () => Bills;
  /** Whose the bills are. */
  readonly findParties: () => Promise<Parties>;
  /** Whether the number of an order that is not here is one of another system's. */
  readonly isForeign: (outTradeNo: string) => boolean;
  readonly openTemporaryFiles: OpenTemporaryFiles;
  readonly startTimer: (delayMs: number, run: () => void) => () => void;
  /** Until Lambda ends the run. */
  readonly remainingMs: () => number;
}

/** A run, and the day that it is about. */
export interface Run {
  readonly date: string;
  readonly runId: string;
}

export const epochSecondsOf = ({ nowMs }: Pick<BillContext, 'nowMs'>) => Math.floor(nowMs() / 1000);
