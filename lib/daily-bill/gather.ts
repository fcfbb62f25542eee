/** Brings both sides of a day to the disk: the bill's rows, and the index of the table. */
import { type Buckets, openBuckets } from '../bill/buckets.ts';
import type { HereEntry, Subject, ThereEntry } from '../bill/entries.ts';
import { thereOf } from '../bill/entries.ts';
import { type BillTotals, readTradeBill } from '../bill/trade-bill.ts';
import { FIRST_MERCHANT } from '../order/order-id.ts';
import { describeError } from '../runtime/log.ts';
import type { TemporaryFiles } from '../runtime/temporary-files.ts';
import {
  type DayPage,
  listPaymentsOfDay,
  listRefundsOfDay,
  type PaymentOfDay,
  type RefundOfDay,
} from '../table/day-index.ts';
import type { BillContext } from './context.ts';
import { dayAfter, edgeAfter, edgeBefore, isLateOn } from './day.ts';

const SUBJECTS = ['payment', 'refund'] as const satisfies readonly Subject[];

/** One side of a day. */
export type Side<T> = Readonly<Record<Subject, Buckets<T>>>;

function openSide<T>(files: TemporaryFiles, name: string): Side<T> {
  return {
    payment: openBuckets(files, `${name}-payment`),
    refund: openBuckets(files, `${name}-refund`),
  };
}

const closeSide = async <T>(side: Side<T>) => {
  await Promise.all(SUBJECTS.map((subject) => side[subject].close()));
};

/** Of a day that has no bill because nothing was sold. */
const NOTHING: BillTotals = {
  payments: { count: 0, totalFen: 0 },
  refunds: { count: 0, totalFen: 0 },
  feeMilliFen: 0,
  rates: [],
};

/**
 * The bill's side, with what it adds up to.
 *
 * @param text of the bill; nothing where there is none.
 * @throws {BillRefusedError}
 */
export async function gatherThere(
  files: TemporaryFiles,
  text: AsyncIterable<Buffer> | undefined,
): Promise<{ readonly there: Side<ThereEntry>; readonly totals: BillTotals }> {
  const there = openSide<ThereEntry>(files, 'there');
  const totals = text
    ? await readTradeBill(text, (row) => {
        const { subject, key, entry } = thereOf(row);
        return there[subject].add(key, entry);
      })
    : NOTHING;
  await closeSide(there);
  return { there, totals };
}

type Day = HereEntry['day'];

/** The table's side: the day, and the minutes around it. No row is read. */
export async function gatherHere(
  context: BillContext,
  files: TemporaryFiles,
  date: string,
): Promise<Side<HereEntry>> {
  const { table } = context;
  const here = openSide<HereEntry>(files, 'here');
  const [before, after] = [dayAfter(date, -1), dayAfter(date)];
  const parts = [
    { day: 'before', date: before, range: edgeBefore(date) },
    { day: 'same', date, range: undefined },
    { day: 'after', date: after, range: edgeAfter(date) },
  ] as const;
  for (const part of parts) {
    for await (const page of listPaymentsOfDay(table, part.date, part.range)) {
      for (const payment of readable(context, page)) {
        await here.payment.add(payment.transactionId, paymentHere(payment, part));
      }
    }
    for await (const page of listRefundsOfDay(table, part.date, part.range)) {
      for (const refund of readable(context, page)) {
        await here.refund.add(refund.outRefundNo, refundHere(refund, part));
      }
    }
  }
  await closeSide(here);
  return here;
}

/** What cannot be read is as if it were not here: its line in the bill then leads a person to it. */
function readable<T extends PaymentOfDay | RefundOfDay>({ log }: BillContext, page: DayPage<T>) {
  for (const error of page.unreadable) {
    log.error('a row of the day cannot be read', describeError(error));
    log.count('OrderUnreadable');
  }
  return page.entries.filter(({ merchantKey }) => merchantKey === FIRST_MERCHANT);
}

interface Part {
  readonly day: Day;
  readonly date: string;
}

const partiesOf = ({
  outTradeNo,
  mchid,
  subMchid,
  appid,
  spAppid,
}: PaymentOfDay | RefundOfDay) => ({
  outTradeNo,
  mchid,
  ...(subMchid !== undefined && { subMchid }),
  appids: spAppid === undefined ? [appid] : [appid, spAppid],
});

const placeOf = ({ day, date }: Part, atEpochSeconds: number) => ({
  day,
  ...(isLateOn(date, atEpochSeconds) && { isLate: true }),
});

const paymentHere = (payment: PaymentOfDay, part: Part): HereEntry => ({
  ...partiesOf(payment),
  fen: payment.totalFen,
  ...placeOf(part, payment.atEpochSeconds),
});

const refundHere = (refund: RefundOfDay, part: Part): HereEntry => ({
  ...partiesOf(refund),
  fen: refund.refundFen,
  ...placeOf(part, refund.atEpochSeconds),
  ...(refund.status === 'CLOSED' && { isClosed: true }),
});
