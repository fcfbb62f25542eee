/** A refund and what WeChat proves about one. */
import type { OrderId } from '../order/order-id.ts';
import type { ApiVersion, Parties } from '../order/parties.ts';
import type { StoredRequest } from '../order/stored-request.ts';

/**
 * Where a refund stands. `PENDING` is ours: its money is reserved, WeChat has not accepted it. The
 * others are WeChat's: `CLOSED` ended without money moving, `ABNORMAL` cannot reach the buyer until
 * a person decides, and may become `PROCESSING` again.
 */
export type RefundStatus = 'PENDING' | 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL';

/** Who asked for it: the merchant's systems, this one by itself, or a person in WeChat's console. */
export type RefundSource = 'API' | 'AUTOMATIC' | 'CONSOLE';

/**
 * What a refund waits for that no repeat brings about: the merchant's money, a setting that only
 * the owner can mend, or the minute that WeChat wants between two refunds of an order.
 */
export type WaitingFor = 'BALANCE' | 'CONFIG' | 'PAUSE';

/** Why a refund was not carried out: WeChat's own code and text, or ours. */
export interface RefundFailure {
  readonly code: string;
  readonly message: string;
}

/** A line of the goods that are given back (`goods_detail`). Amounts in fen. */
export interface RefundGoods {
  readonly merchantGoodsId: string;
  readonly wechatpayGoodsId?: string | undefined;
  readonly goodsName?: string | undefined;
  readonly unitPriceFen: number;
  /** Of all its pieces together. */
  readonly refundFen: number;
  readonly quantity: number;
}

/** Where the money of an `ABNORMAL` refund goes instead: `OTHERWISE` is outside of WeChat. */
export const ABNORMAL_ENDS = ['MERCHANT_ACCOUNT', 'BUYER_CARD', 'OTHERWISE'] as const;

/** What a person decided about an `ABNORMAL` refund, once per round. */
export interface AbnormalEnd {
  readonly to: (typeof ABNORMAL_ENDS)[number];
  /** The `round` of the refund that it is about. */
  readonly round: number;
  /** How it was paid `OTHERWISE`. */
  readonly note?: string | undefined;
  readonly decidedAtEpochSeconds: number;
  /** The `Idempotency-Key`, digested, and the request as it was sent. */
  readonly keyDigest: string;
  readonly fingerprint: string;
}

/** A refund as it is stored. Amounts in fen, times in epoch seconds. */
export interface Refund extends OrderId, Parties {
  /** Names the refund at WeChat: unique per merchant, and the same for every repeat. */
  readonly outRefundNo: string;
  readonly transactionId: string;
  readonly refundFen: number;
  /** Of the whole order. */
  readonly totalFen: number;
  readonly currency: string;
  readonly apiVersion: ApiVersion;
  /** The order's own, so that whoever is told of the refund knows what it belongs to. */
  readonly attach?: string | undefined;
  readonly reason?: string | undefined;
  readonly goods?: readonly RefundGoods[] | undefined;
  /** The exact request; a repeat must not differ. A refund of the console has none. */
  readonly refundRequest?: StoredRequest | undefined;
  /** What the caller asked for, as it was sent: "all that is left" stays the same refund for ever. */
  readonly fingerprint?: string | undefined;
  readonly status: RefundStatus;
  /** How often it has become `ABNORMAL`. */
  readonly round: number;
  readonly source: RefundSource;
  /** Who asked for it: an ARN of the merchant's AWS account. */
  readonly requestedBy?: string | undefined;
  readonly waitingFor?: WaitingFor | undefined;
  readonly failure?: RefundFailure | undefined;
  /** WeChat's own number of it. */
  readonly refundId?: string | undefined;
  readonly createdAtEpochSeconds: number;
  readonly sentAtEpochSeconds?: number | undefined;
  readonly attempts: number;
  /** An attempt under this number, fail-over included, may have been carried out. */
  readonly mayHaveReached: boolean;
  readonly acceptedAtEpochSeconds?: number | undefined;
  readonly succeededAtEpochSeconds?: number | undefined;
  /** Where the money went, in WeChat's words. */
  readonly userReceivedAccount?: string | undefined;
  readonly abnormalEnd?: AbnormalEnd | undefined;
  /** The row's last change: an answer counts only if its query began after it. */
  readonly changedAtEpochMs: number;
  readonly checks: number;
  readonly nextCheckAtEpochSeconds?: number | undefined;
}

/** What WeChat's messages about a refund name. API v3 names no appid in any of them. */
type RefundParties = Pick<Parties, 'mchid' | 'subMchid'>;

/** What WeChat proves about a refund: a verified answer, or a signed notification of API v3. */
export interface RefundEvidence extends RefundParties {
  readonly outTradeNo: string;
  readonly transactionId: string;
  readonly outRefundNo: string;
  readonly refundId: string;
  readonly refundFen: number;
  readonly totalFen: number;
  readonly currency: string;
  readonly status: Exclude<RefundStatus, 'PENDING'>;
  /** When WeChat accepted it; API v2 does not say. */
  readonly createdAtEpochSeconds?: number | undefined;
  readonly succeededAtEpochSeconds?: number | undefined;
  readonly userReceivedAccount?: string | undefined;
}

/** What a refund and its evidence must agree in, the weightiest first. */
const COMPARED = [
  'mchid',
  'subMchid',
  'outTradeNo',
  'transactionId',
  'outRefundNo',
  'refundFen',
  'totalFen',
  'currency',
] as const;

/** The part of a refund that evidence is compared with. */
export type RefundFacts = Pick<Refund, (typeof COMPARED)[number]>;

/** A field in which evidence and refund contradict each other. */
export interface RefundMismatch {
  readonly field: (typeof COMPARED)[number];
  readonly expected: string | number;
  readonly observed: string | number;
}

/** Stands for a party that only one of the two names. */
const NONE = '(none)';

/** The first contradiction between a refund and what WeChat says of it; nothing if they agree. */
export function findRefundMismatch(
  refund: RefundFacts,
  evidence: RefundFacts,
): RefundMismatch | undefined {
  for (const field of COMPARED) {
    if (refund[field] !== evidence[field]) {
      return { field, expected: refund[field] ?? NONE, observed: evidence[field] ?? NONE };
    }
  }
  return undefined;
}
