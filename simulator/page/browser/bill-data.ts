/** A day's bill as the simulator shows it, what is planted in it, and what the bill function says of it. */

export type BillState = 'NOT_OVER' | 'CREATING' | 'READY' | 'TOO_OLD';

export interface BillRow {
  readonly tradeState: string;
  readonly time: string;
  readonly outTradeNo: string;
  /** Empty: a payment. */
  readonly outRefundNo: string;
  readonly mchid: string;
  readonly orderedFen: number;
  readonly requestedRefundFen: number;
  readonly feeFen: number;
}

/** What is said of one row in the place of the truth; the simulator's README has the fields. */
export type Change = Readonly<Record<string, unknown>> & {
  readonly outTradeNo?: string;
  readonly outRefundNo?: string;
};

export const FLAGS = ['truncate', 'wrongSum', 'wrongHash'] as const;
export type Flag = (typeof FLAGS)[number];

export interface Plan extends Readonly<Partial<Record<Flag, boolean>>> {
  readonly alter: readonly Change[];
  readonly layout?: 'new' | 'legacy';
}

export interface BillView {
  readonly date: string;
  readonly state: BillState;
  readonly rowCount: number;
  /** None or one. */
  readonly planted: readonly Plan[];
  readonly honestRows: readonly BillRow[];
}

export interface Difference {
  readonly kind: string;
  readonly state: 'OPEN' | 'EXPLAINED' | 'RESOLVED';
  readonly outTradeNo: string;
  readonly transactionId?: string;
  readonly outRefundNo?: string;
  readonly hereFen?: number;
  readonly thereFen?: number;
  readonly line?: number;
  readonly sha1?: string;
  readonly wechat?: string;
  readonly note?: string;
}

interface Total {
  readonly count: number;
  readonly totalFen: number;
}

export interface BillResult {
  readonly date: string;
  readonly state: 'BALANCED' | 'DIFFERENCES' | 'NOT_READY' | 'EMPTY';
  readonly reason?: string;
  readonly checkedAt?: string;
  readonly sha1?: string;
  readonly payments: Total;
  readonly refunds: Total;
  readonly feesFen: number;
  readonly carriedOver: number;
  readonly foreign: number;
  readonly differenceCount?: number;
  readonly changed?: { readonly appeared: number; readonly gone: number };
  readonly repaired: readonly Difference[];
  readonly differences: readonly Difference[];
}

const HONEST: Plan = { alter: [] };

export const planOf = ({ planted }: BillView): Plan => planted[0] ?? HONEST;

/** A payment, or a refund, by the number that names it. */
export interface RowName {
  readonly outTradeNo: string;
  readonly outRefundNo?: string | undefined;
}

export const isAbout = ({ outTradeNo, outRefundNo }: RowName, change: Change): boolean =>
  outRefundNo ? change.outRefundNo === outRefundNo : change.outTradeNo === outTradeNo;

/** The number alone: what a change names a row by. */
const nameOf = ({ outTradeNo, outRefundNo }: RowName): Change =>
  outRefundNo ? { outRefundNo } : { outTradeNo };

export const withoutChange = (plan: Plan, name: RowName): Plan => ({
  ...plan,
  alter: plan.alter.filter((change) => !isAbout(name, change)),
});

/** One change of a row at a time. */
export const withChange = (plan: Plan, name: RowName, change: Change): Plan => ({
  ...plan,
  alter: [...withoutChange(plan, name).alter, { ...nameOf(name), ...change }],
});
