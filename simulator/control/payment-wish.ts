/** Reads how somebody wants to pay: coupons and a foreign currency. */
import { type Coupon, KNOWN_CURRENCIES, type PaymentWish } from '../book/payment.ts';
import { randomText } from '../book/random.ts';
import type { RandomBytes } from '../surroundings/surroundings.ts';
import { type Body, ControlError, readNumber, readText, refuseUnknownFields } from './input.ts';

export const PAYMENT_FIELDS = ['coupons', 'payerCurrency', 'payerTotal'];

const MAX_COUPONS = 20;
const isFen = (fen: number) => Number.isSafeInteger(fen) && fen >= 1;

/** For an order of so many fen; an empty wish is an ordinary payment. */
export function readPaymentWish(
  body: Body,
  totalFen: number,
  randomBytes: RandomBytes,
): PaymentWish {
  const coupons = readCoupons(body['coupons'], totalFen, randomBytes);
  const isCode = (text: string) => /^[A-Z]{3}$/.test(text);
  const payerCurrency = readText(body, 'payerCurrency', isCode, 'three capital letters');
  const payerTotal = readNumber(body, 'payerTotal', isFen, 'a whole number above 0');
  if (payerTotal !== undefined && (payerCurrency ?? 'CNY') === 'CNY') {
    const rule =
      '"payerTotal" belongs to a foreign "payerCurrency": in CNY it follows from coupons';
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  if (payerCurrency && payerTotal === undefined && !KNOWN_CURRENCIES.includes(payerCurrency)) {
    const rule = `"payerTotal" is needed: the simulator has rates for ${KNOWN_CURRENCIES.join(', ')} only`;
    throw new ControlError(400, 'MISSING_FIELD', rule);
  }
  return {
    ...(coupons ? { coupons } : {}),
    ...(payerCurrency ? { payerCurrency } : {}),
    ...(payerTotal === undefined ? {} : { payerTotal }),
  };
}

function readCoupons(
  value: unknown,
  totalFen: number,
  randomBytes: RandomBytes,
): Coupon[] | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (!Array.isArray(value) || value.length > MAX_COUPONS) {
    throw new ControlError(
      400,
      'INVALID_FIELD',
      `"coupons" must be a list of up to ${MAX_COUPONS}`,
    );
  }
  const coupons = value.map((one: unknown) => readCoupon({ ...(one as Body) }, randomBytes));
  if (coupons.reduce((sum, { fen }) => sum + fen, 0) >= totalFen) {
    const rule = `coupons are worth less than the price of ${totalFen} fen together`;
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  return coupons;
}

function readCoupon(body: Body, randomBytes: RandomBytes): Coupon {
  refuseUnknownFields(body, ['fen', 'type', 'couponId']);
  const fen = readNumber(body, 'fen', isFen, 'a whole number of fen above 0');
  const isType = (text: string) => text === 'CASH' || text === 'NO_CASH';
  const type = readText(body, 'type', isType, 'CASH or NO_CASH') ?? 'CASH';
  const isId = (text: string) => /^\w{1,20}$/.test(text);
  const couponId = readText(body, 'couponId', isId, '1 to 20 letters and digits');
  if (fen === undefined) {
    throw new ControlError(400, 'MISSING_FIELD', '"fen" of a coupon is needed');
  }
  return {
    fen,
    type: type === 'CASH' ? 'CASH' : 'NO_CASH',
    couponId: couponId ?? randomText(randomBytes, 10, '0123456789'),
  };
}
