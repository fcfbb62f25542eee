/** What names an order within a deployment that may serve several merchants. */

/**
 * An order's name. `merchantKey` tells the merchants of a deployment apart: two of them may use
 * the same `outTradeNo`. It is the deployment's own short name for a merchant and never the
 * `mchid`, which changes when a merchant opens a new account.
 */
export interface OrderId {
  /** `FIRST_MERCHANT`, or 3 to 16 of `a-z0-9`, but not `notify`, which paths have already. */
  readonly merchantKey: string;
  readonly outTradeNo: string;
}

/** The key of a deployment's first merchant; its rows and addresses do not name it. */
export const FIRST_MERCHANT = '';
