/** What `wx.requestPayment` gives back, and what the phone keeps to itself. */
import type { Cause } from '../explain/report.ts';

export interface PhoneResult {
  /** What the mini-program's callback gets. */
  readonly errMsg: string;
  /** Stable; absent when the payment went through. */
  readonly reason?: string;
  readonly message?: string;
  readonly likelyCauses?: readonly Cause[];
}

export type PaymentInput = Readonly<Record<string, unknown>> & { readonly user: string };

export const refuse = (
  reason: string,
  shown: string,
  message: string,
  likelyCauses?: readonly Cause[],
): PhoneResult => ({
  errMsg: `requestPayment:fail ${shown}`,
  reason,
  message,
  ...(likelyCauses ? { likelyCauses } : {}),
});
