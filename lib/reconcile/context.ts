/** What a check of reconcile works with. */
import type { EvidenceContext } from '../evidence/record.ts';
import type { RefundRequestContext } from '../evidence/refund-request.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { Patience } from './patience.ts';
import { callTimeoutMs } from './time.ts';

export interface CheckContext
  extends EvidenceContext,
    Omit<RefundRequestContext, keyof EvidenceContext | 'wechatPay'> {
  readonly wechatPay: WechatPayOf<
    'queryOrder' | 'closeOrder' | 'buildRefundRequest' | 'refund' | 'queryRefund' | 'listRefunds'
  >;
  /** Until Lambda ends the run. */
  readonly remainingMs: () => number;
  /** What this run has learned of WeChat. */
  readonly patience: Patience;
}

/** Something that waits for a person: its alarm rings once a day until then. */
export const LONG_PAUSE_SECONDS = 86_400;

/** The limit of each of so many calls, in the time that is left. */
export const limitOf = ({ remainingMs }: CheckContext, calls: number) => ({
  timeoutMs: callTimeoutMs(remainingMs(), calls),
});

export const epochSecondsOf = ({ nowMs }: Pick<CheckContext, 'nowMs'>) =>
  Math.floor(nowMs() / 1000);
