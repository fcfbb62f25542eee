/** Whose an order is, and by which of WeChat's APIs it goes. */

/** Version of WeChat's API. An order keeps the one that created it: queries and closes follow. */
export type ApiVersion = 'v2' | 'v3';

/**
 * Whose order it is. In service-provider mode (服务商模式) `mchid` is the provider, whose keys
 * sign, and `subMchid` the merchant who is paid.
 */
export interface Parties {
  /** The mini-program that the buyer pays in, and that their `openid` belongs to. */
  readonly appid: string;
  readonly mchid: string;
  /** Service-provider mode: the merchant who is paid (特约商户号). */
  readonly subMchid?: string | undefined;
  /** Service-provider mode: the provider's own appid, when the mini-program is the sub-merchant's. */
  readonly spAppid?: string | undefined;
}
