/** Error codes that both API versions have, under different names: a fault may bear either. */

const NAMES_IN_V3: Readonly<Record<string, string>> = {
  APPID_NOT_EXIST: 'APPID_MCHID_NOT_MATCH',
  LACK_PARAMS: 'PARAM_ERROR',
  MCHID_NOT_EXIST: 'MCH_NOT_EXISTS',
  NOAUTH: 'NO_AUTH',
  NOTENOUGH: 'NOT_ENOUGH',
  ORDERCLOSED: 'ORDER_CLOSED',
  ORDERNOTEXIST: 'ORDER_NOT_EXIST',
  ORDERPAID: 'ORDER_PAID',
  SIGNERROR: 'SIGN_ERROR',
  SYSTEMERROR: 'SYSTEM_ERROR',
  USERPAYING: 'USER_PAYING',
};

/** What refunds call it in v3, where that differs from other calls. */
const NAMES_OF_REFUNDS_IN_V3: Readonly<Record<string, string>> = {
  BIZERR_NEED_RETRY: 'SYSTEM_ERROR',
  CERT_ERROR: 'SIGN_ERROR',
  ERROR: 'INVALID_REQUEST',
  INVALID_REQ_TOO_MUCH: 'FREQUENCY_LIMITED',
  INVALID_TRANSACTIONID: 'PARAM_ERROR',
  ORDERNOTEXIST: 'RESOURCE_NOT_EXISTS',
  ORDER_NOT_EXIST: 'RESOURCE_NOT_EXISTS',
  ORDER_NOT_READY: 'INVALID_REQUEST',
  REFUNDNOTEXIST: 'RESOURCE_NOT_EXISTS',
  REFUND_FEE_MISMATCH: 'INVALID_REQUEST',
  REQUIRE_POST_METHOD: 'INVALID_REQUEST',
  TRADE_OVERDUE: 'INVALID_REQUEST',
  XML_FORMAT_ERROR: 'PARAM_ERROR',
};

const NAMES_OF_REFUNDS_IN_V2: Readonly<Record<string, string>> = {
  PARAM_ERROR: 'PARAM_ERROR',
  RULE_LIMIT: 'ERROR',
  TRADE_ERROR: 'ERROR',
};

/** Names that the other table does not lead back to. */
const namesInV2 = (point: string): Readonly<Record<string, string>> => ({
  RATELIMIT_EXCEEDED: 'FREQUENCY_LIMITED',
  RESOURCE_NOT_EXISTS: point === 'refundquery' ? 'REFUNDNOTEXIST' : 'ORDERNOTEXIST',
});

const pick = (names: Readonly<Record<string, string>>, code: string) =>
  Object.hasOwn(names, code) ? names[code] : undefined;

const isOfRefunds = (point: string) => point === 'refund' || point === 'refundquery';

/** The code that v3 has for this one of v2 at a fault point; the same text when there is no other name. */
export const nameInV3 = (code: string, point: string): string =>
  (isOfRefunds(point) ? pick(NAMES_OF_REFUNDS_IN_V3, code) : undefined) ??
  pick(NAMES_IN_V3, code) ??
  code;

/** The code that v2 has for this one of v3 at a fault point; the same text when there is no other name. */
export function nameInV2(code: string, point: string): string {
  const ofRefunds = isOfRefunds(point) ? pick(NAMES_OF_REFUNDS_IN_V2, code) : undefined;
  return (
    ofRefunds ??
    pick(namesInV2(point), code) ??
    Object.entries(NAMES_IN_V3).find(([, name]) => name === code)?.[0] ??
    code
  );
}
