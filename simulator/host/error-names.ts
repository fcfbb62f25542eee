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

/** The code that v3 has for this one of v2; the same text when there is no other name. */
export const nameInV3 = (code: string): string =>
  Object.hasOwn(NAMES_IN_V3, code) ? (NAMES_IN_V3[code] ?? code) : code;

/** The code that v2 has for this one of v3; the same text when there is no other name. */
export const nameInV2 = (code: string): string =>
  Object.entries(NAMES_IN_V3).find(([, name]) => name === code)?.[0] ?? code;
