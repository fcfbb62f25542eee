/** How an order was paid: with coupons (代金券) taken off the price, and in which currency (境外支付者). */

/** `CASH` is of the recharge type (充值), `NO_CASH` free of charge (免充值): the merchant does not get that. */
export type CouponType = 'CASH' | 'NO_CASH';

export interface Coupon {
  readonly couponId: string;
  readonly type: CouponType;
  /** In fen of CNY. */
  readonly fen: number;
}

export interface Payment {
  readonly coupons: readonly Coupon[];
  /** ISO 4217; `CNY` unless the payer's card or wallet is a foreign one. */
  readonly payerCurrency: string;
  /** What the payer was charged, in the smallest unit of `payerCurrency`. */
  readonly payerTotal: number;
}

/** What somebody asks for; the rest is worked out from the price. */
export interface PaymentWish {
  readonly coupons?: readonly Coupon[];
  readonly payerCurrency?: string;
  readonly payerTotal?: number;
}

/** Smallest units for one fen, made up; other currencies need `payerTotal`. */
const RATES: Readonly<Record<string, number>> = {
  CNY: 1,
  EUR: 0.12,
  GBP: 0.11,
  HKD: 1.09,
  JPY: 0.21,
  USD: 0.14,
};

export const KNOWN_CURRENCIES = Object.keys(RATES);

const sumOf = (coupons: readonly Coupon[]) => coupons.reduce((sum, { fen }) => sum + fen, 0);

/** The payment of an order of so many fen. The coupons are worth less than that. */
export function composePayment(totalFen: number, wish: PaymentWish = {}): Payment {
  const { coupons = [], payerCurrency = 'CNY' } = wish;
  const restFen = totalFen - sumOf(coupons);
  const rate = RATES[payerCurrency] ?? 1;
  const payerTotal = wish.payerTotal ?? Math.max(1, Math.round(restFen * rate));
  return { coupons, payerCurrency, payerTotal };
}

/** As the book keeps it; null: an ordinary one. */
export const readPayment = (text: string | null, totalFen: number): Payment =>
  text === null ? composePayment(totalFen) : (JSON.parse(text) as Payment);

export const couponFenOf = ({ coupons }: Payment) => sumOf(coupons);

/** What the merchant is settled with: the price without the coupons that are free of charge. */
export const settlementFenOf = (totalFen: number, { coupons }: Payment) =>
  totalFen - sumOf(coupons.filter(({ type }) => type === 'NO_CASH'));
