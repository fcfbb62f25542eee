/**
 * Amounts of a bill, from their text and never by way of a fraction. A bill is in yuan; amounts come out in
 * fen, fees, which have up to five decimals, in thousandths of a fen.
 */

const YUAN = /^(-?)(\d{1,10})(?:\.(\d{1,5}))?$/;

/** Thousandths of a fen (1/100,000 yuan); nothing for a text that is no amount. */
export function milliFenOf(yuan: string): number | undefined {
  const [, sign, whole = '', decimals = ''] = YUAN.exec(yuan) ?? [];
  if (sign === undefined) {
    return undefined;
  }
  const value = Number(whole) * 100_000 + Number(decimals.padEnd(5, '0'));
  // No amount is -0.
  return sign === '-' && value !== 0 ? -value : value;
}

/** Fen; nothing for a text that is no amount, or has a part of a fen. */
export function fenOf(yuan: string): number | undefined {
  const milliFen = milliFenOf(yuan);
  return milliFen !== undefined && milliFen % 1_000 === 0 ? milliFen / 1_000 : undefined;
}

/** Millionths, of a rate such as `0.60%`; nothing for a text that is none. */
export function rateOf(percent: string): number | undefined {
  const [, whole, decimals = ''] = /^(\d{1,3})(?:\.(\d{1,4}))?%$/.exec(percent) ?? [];
  return whole === undefined ? undefined : Number(whole) * 10_000 + Number(decimals.padEnd(4, '0'));
}

/** WeChat rounds a fee to a fen, by a rule that it does not tell. */
const FEE_TOLERANCE_MILLI_FEN = 1_000;

/**
 * The fee that an amount should have cost, in thousandths of a fen, if it is not the one that it did
 * cost, to a fen; nothing when it is, or when there is no rate. A refund's amount counts as negative.
 */
export function wrongFee(
  settledFen: number,
  rateMillionths: number | undefined,
  feeMilliFen: number,
): number | undefined {
  if (rateMillionths === undefined) {
    return undefined;
  }
  const expected = Math.round((settledFen * rateMillionths) / 1_000);
  return Math.abs(expected - feeMilliFen) <= FEE_TOLERANCE_MILLI_FEN ? undefined : expected;
}
