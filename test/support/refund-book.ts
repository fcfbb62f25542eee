/**
 * WeChat's own book of refunds, in memory: what it has accepted, whatever of its answers arrives. A
 * test chooses how the next calls end.
 */
import { WechatPayTransportError } from '../../lib/errors.ts';
import type { RefundEvidence, RefundFailure } from '../../lib/refund/refund.ts';
import type {
  RefundLookup,
  RefundOrder,
  RefundResult,
  StoredRefund,
} from '../../lib/wechatpay/refund-results.ts';

/**
 * How a request to refund ends. `lost`: carried out, and the answer never arrives; `late`: nobody
 * hears of it, and it arrives up to ten minutes later.
 */
export type Fate =
  | 'accepted'
  | 'lost'
  | 'late'
  | 'not-arrived'
  | 'not-sent'
  | 'refused'
  | 'refused-in-doubt'
  | 'not-enough'
  | 'no-auth'
  | 'too-often';

/** So long may a request be on its way. */
const LATEST_MS = 590_000;

const failure = (code: string): RefundFailure => ({ code, message: `text of ${code}` });

export function openRefundBook() {
  const book = new Map<string, RefundEvidence>();
  /** Every request that reached WeChat, also what it refused. */
  const arrived: StoredRefund[] = [];
  const aboveThePayment: string[] = [];
  const calls: string[] = [];
  const fates: Fate[] = [];
  const late: { readonly untilMs: number; readonly asked: StoredRefund }[] = [];
  let nowMs = () => 0;
  const hooks: { beforeRefund?: () => Promise<void>; beforeQuery?: () => Promise<void> } = {};

  function accept(refund: StoredRefund): RefundEvidence {
    const known = book.get(refund.outRefundNo);
    if (known) {
      return known;
    }
    const { mchid, subMchid, outTradeNo, transactionId, outRefundNo, refundFen, totalFen } = refund;
    const spentFen = [...book.values()]
      .filter((each) => each.outTradeNo === outTradeNo && each.status !== 'CLOSED')
      .reduce((sum, each) => sum + each.refundFen, 0);
    if (spentFen + refundFen > totalFen) {
      throw new Error('above the payment');
    }
    const evidence: RefundEvidence = {
      mchid,
      subMchid,
      outTradeNo,
      transactionId,
      outRefundNo,
      refundFen,
      totalFen,
      currency: refund.currency,
      refundId: `5000${book.size}`,
      status: 'PROCESSING',
      createdAtEpochSeconds: Math.floor(nowMs() / 1000),
    };
    book.set(outRefundNo, evidence);
    return evidence;
  }

  async function refund(asked: StoredRefund): Promise<RefundResult> {
    calls.push(`refund ${asked.outRefundNo}`);
    await hooks.beforeRefund?.();
    const fate = fates.shift() ?? 'accepted';
    if (fate !== 'not-arrived' && fate !== 'not-sent' && fate !== 'late') {
      arrived.push(asked);
    }
    switch (fate) {
      case 'accepted':
        try {
          return { kind: 'accepted', refund: accept(asked) };
        } catch {
          aboveThePayment.push(asked.outRefundNo);
          const code = failure('INVALID_REQUEST');
          return { kind: 'refused', failure: code, mayHaveReached: false };
        }
      case 'lost':
        accept(asked);
        throw new WechatPayTransportError('unknown', 'no answer in time');
      case 'late':
        late.push({ untilMs: nowMs() + LATEST_MS, asked });
        throw new WechatPayTransportError('unknown', 'no answer in time');
      case 'not-arrived':
        throw new WechatPayTransportError('unknown', 'no answer in time');
      case 'not-sent':
        throw new WechatPayTransportError('not-sent', 'no connection');
      case 'refused':
        return { kind: 'refused', failure: failure('ERROR'), mayHaveReached: false };
      case 'refused-in-doubt':
        return { kind: 'refused', failure: failure('ERROR'), mayHaveReached: true };
      case 'not-enough':
        return {
          kind: 'waiting',
          waitingFor: 'BALANCE',
          failure: failure('NOTENOUGH'),
          mayHaveReached: false,
        };
      case 'no-auth':
        return {
          kind: 'waiting',
          waitingFor: 'CONFIG',
          failure: failure('NOAUTH'),
          mayHaveReached: false,
        };
      case 'too-often':
        return {
          kind: 'unknown',
          failure: failure('FREQUENCY_LIMITED'),
          mayHaveReached: true,
          slower: true,
        };
    }
  }

  return {
    book,
    arrived,
    calls,
    fates,
    hooks,
    useClock(clock: () => number) {
      nowMs = clock;
    },
    /** What was on its way arrives, before this moment or before it is too late. */
    deliverLate(beforeMs: number) {
      for (const one of late.splice(0, Infinity)) {
        if (one.untilMs > beforeMs) {
          late.push(one);
          continue;
        }
        arrived.push(one.asked);
        try {
          accept(one.asked);
        } catch {
          aboveThePayment.push(one.asked.outRefundNo);
        }
      }
    },
    /** Refunds that WeChat had to refuse because more would have come back than was paid. */
    aboveThePayment,
    /** WeChat ends a refund, or begins it again. */
    end(outRefundNo: string, status: RefundEvidence['status'], more: Partial<RefundEvidence> = {}) {
      const known = book.get(outRefundNo);
      if (!known) {
        throw new Error(`WeChat knows no refund ${outRefundNo}`);
      }
      book.set(outRefundNo, { ...known, status, ...more });
    },
    wechatPay: {
      buildRefundRequest: ({ outRefundNo, refundFen }: RefundOrder) =>
        ({
          apiVersion: 'v2',
          fields: { out_refund_no: outRefundNo, refund_fee: String(refundFen) },
        }) as const,
      refund,
      queryRefund: async ({ outRefundNo }: RefundLookup) => {
        calls.push(`query ${outRefundNo}`);
        await hooks.beforeQuery?.();
        const known = book.get(outRefundNo);
        return known
          ? ({ kind: 'found', refund: known } as const)
          : ({ kind: 'not-found' } as const);
      },
      listRefunds: async ({ outTradeNo }: { readonly outTradeNo: string }) => {
        calls.push(`list ${outTradeNo}`);
        const refunds = [...book.values()].filter((each) => each.outTradeNo === outTradeNo);
        return { kind: 'listed', refunds } as const;
      },
    },
  };
}
