/** What a call for a bill can be refused with: v2 has a text and a number, v3 a code. */

export interface BillError {
  /** `return_msg` */
  readonly text: string;
  /** `error_code` */
  readonly errorCode: string;
  readonly codeInV3: string;
}

/** Of errors with the same number the first is the one that the number stands for. */
export const BILL_ERRORS = {
  NO_BILL: { text: 'No Bill Exist', errorCode: '20002', codeInV3: 'NO_STATEMENT_EXIST' },
  CREATING: { text: 'Bill Creating', errorCode: '20002', codeInV3: 'STATEMENT_CREATING' },
  SIGN: { text: 'sign error', errorCode: '20001', codeInV3: 'SIGN_ERROR' },
  BILL_TYPE: { text: 'invalid bill_type', errorCode: '20001', codeInV3: 'PARAM_ERROR' },
  FORMAT: { text: 'data format error', errorCode: '20001', codeInV3: 'PARAM_ERROR' },
  MISSING: { text: 'missing parameter', errorCode: '20001', codeInV3: 'PARAM_ERROR' },
  SYSTEM: { text: 'System Error', errorCode: '100', codeInV3: 'SYSTEM_ERROR' },
  COMPRESS: { text: 'CompressGZip Error', errorCode: '20003', codeInV3: 'SYSTEM_ERROR' },
  UNCOMPRESS: { text: 'UnCompressGZip Error', errorCode: '20003', codeInV3: 'SYSTEM_ERROR' },
  NO_PERMISSION: { text: 'no permission', errorCode: '20007', codeInV3: 'NO_AUTH' },
  OTHER: { text: 'unknown error', errorCode: '20100', codeInV3: 'INVALID_REQUEST' },
} satisfies Record<string, BillError>;

const ALL: readonly BillError[] = Object.values(BILL_ERRORS);

/** Blanks, hyphens and the case of letters do not matter: SYSTEMERROR, System Error, SYSTEM_ERROR. */
const flatten = (text: string) => text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');

/** By its text, its number or its name in v3; undefined: bills have no such error. */
export function findBillError(name: string): BillError | undefined {
  const flat = flatten(name);
  return ALL.find(({ text, errorCode, codeInV3 }) =>
    [text, errorCode, codeInV3].some((one) => flatten(one) === flat),
  );
}

/** What `code` of a fault at `downloadbill` may be. */
export const BILL_ERROR_NAMES: readonly string[] = [
  ...new Set(ALL.flatMap(({ text, errorCode, codeInV3 }) => [text, errorCode, codeInV3])),
];
