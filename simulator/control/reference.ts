/** Tables for `GET /_simulator`: what can go wrong on request, and by price. */
import { BILL_ERROR_NAMES } from '../host/bill-error-names.ts';
import { POSSIBLE_FAULTS } from '../host/faults.ts';
import { PRICE_LIST } from '../host/price-list.ts';
import { ERROR_CODES } from '../v2/errors.ts';
import { V3_ERROR_CODES } from '../v3/errors.ts';
import { CODE2SESSION_ERRCODES } from '../weixin/code2session.ts';

export type Row = readonly [what: string, text: string];

export const FAULT_ROWS: readonly Row[] = Object.entries(POSSIBLE_FAULTS).map(
  ([point, kinds]): Row => [point, kinds.join(', ')],
);

export const CODE_ROWS: readonly Row[] = [
  ['v2', ERROR_CODES.join(', ')],
  ['v3', V3_ERROR_CODES.join(', ')],
  ['downloadbill', BILL_ERROR_NAMES.join(', ')],
  ['code2session', CODE2SESSION_ERRCODES.toSorted((a, b) => a - b).join(', ')],
];

export const PRICE_ROWS: readonly Row[] = PRICE_LIST.map(
  ({ fen, at, en, zh }): Row => [
    `¥${(fen / 100).toFixed(2)} ${at}`,
    en === zh ? en : `${en} · ${zh}`,
  ],
);
