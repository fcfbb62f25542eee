/** The events of a day's bill, and of what does not agree with it. */
import { digest } from '../order/order.ts';
import { numberOf, optionalStringOf, stringOf } from '../table/attributes.ts';
import type { Item } from '../table/attributes.ts';
import type { Fact } from './fact.ts';
import type { Detail, RowKind } from './kind.ts';

const DAY = /^BILL#(\d{4}-\d{2}-\d{2})$/;

const dayOf = (PK: string) => DAY.exec(PK)?.[1];

const numberIn = (values: Item, name: string) => values[name] && numberOf(values, name);

/** The day's own row: what came of each bill of it. */
export const billKind: RowKind = {
  nameOf: ({ PK, SK }) => {
    const date = dayOf(PK);
    return date !== undefined && SK === 'BILL' ? `bill.${date}` : undefined;
  },
  common: (row) => ({ date: dayOf(stringOf(row, 'PK')) }),
  events: { CHECKED: { detailType: 'Bill Checked', detail: (_row, fact) => checkOf(fact) } },
  earlierFacts: () => [],
};

const checkOf = ({ values }: Fact): Detail => ({
  state: stringOf(values, 'state'),
  sha1: optionalStringOf(values, 'sha1'),
  payments: { count: numberOf(values, 'paymentCount'), totalFen: numberOf(values, 'paymentFen') },
  refunds: { count: numberOf(values, 'refundCount'), totalFen: numberOf(values, 'refundFen') },
  feeThousandths: numberOf(values, 'feeMilliFen'),
  carriedOver: numberOf(values, 'carriedOver'),
  foreign: numberOf(values, 'foreign'),
  differenceCount: numberOf(values, 'differenceCount'),
  repairedCount: numberOf(values, 'repairedCount'),
});

/** A difference's row: that it was found, which is told once. */
export const billDifferenceKind: RowKind = {
  // Numbers may be longer, and of other letters, than the name of an event.
  nameOf: ({ PK, SK }) => {
    const date = dayOf(PK);
    return date !== undefined && SK.startsWith('DIFFERENCE#')
      ? `bill.${date}.${digest(SK).slice(0, 32)}`
      : undefined;
  },
  common: (row) => ({
    date: dayOf(stringOf(row, 'PK')),
    outTradeNo: stringOf(row, 'outTradeNo'),
  }),
  events: {
    DIFFERENCE: { detailType: 'Bill Difference', detail: (_row, fact) => differenceOf(fact) },
  },
  earlierFacts: () => [],
};

const differenceOf = ({ values }: Fact): Detail => ({
  kind: stringOf(values, 'kind'),
  outRefundNo: optionalStringOf(values, 'outRefundNo'),
  transactionId: optionalStringOf(values, 'transactionId'),
  ...amountsOf(values),
  line: numberIn(values, 'line'),
  sha1: optionalStringOf(values, 'sha1'),
});

/** Fees have parts of a fen, and may be below nothing: they are told in thousandths. */
function amountsOf(values: Item): Detail {
  const [here, there] = [numberIn(values, 'hereFen'), numberIn(values, 'thereFen')];
  return stringOf(values, 'kind') === 'FEE_DIFFERS'
    ? { expectedFee: thousandths(here), chargedFee: thousandths(there) }
    : { hereFen: here, thereFen: there };
}

const thousandths = (fen: number | undefined) =>
  fen === undefined ? undefined : Math.round(fen * 1_000);
