/** The event of a verified payment that has no order here. */
import { countOf, optionalStringOf, stringOf } from '../table/attributes.ts';
import { FIRST_MERCHANT } from '../order/order-id.ts';
import { unknownPaymentOf } from '../table/schema.ts';
import { eventName, namedMerchant, partiesOf, type RowKind } from './kind.ts';

export const unknownPaymentKind: RowKind = {
  nameOf: (key, row) => {
    const transactionId = unknownPaymentOf(key);
    const merchantKey = optionalStringOf(row, 'merchantKey') ?? FIRST_MERCHANT;
    return transactionId && eventName(merchantKey, 'unknown', transactionId);
  },
  common: (row) => ({
    outTradeNo: stringOf(row, 'outTradeNo'),
    merchantKey: namedMerchant(optionalStringOf(row, 'merchantKey') ?? FIRST_MERCHANT),
    ...partiesOf(row),
    totalFen: countOf(row, 'totalFen'),
    currency: stringOf(row, 'currency'),
  }),
  events: {
    UNKNOWN_ORDER: {
      detailType: 'Payment Mismatch',
      detail: (row) => ({
        transactionId: stringOf(row, 'transactionId'),
        paymentFen: countOf(row, 'totalFen'),
        paidAt: optionalStringOf(row, 'paidAt'),
        field: 'outTradeNo',
        observed: stringOf(row, 'outTradeNo'),
      }),
    },
  },
  earlierFacts: () => [],
};
