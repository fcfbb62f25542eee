/** One run over the bill of a day: fetched, verified, compared, repaired as far as WeChat proves, told. */
import { BillRefusedError } from '../bill/trade-bill.ts';
import type { Parties } from '../order/parties.ts';
import { beijingDay } from '../time.ts';
import type { TemporaryFiles } from '../runtime/temporary-files.ts';
import { resolveGone } from '../table/bill-differences.ts';
import { endWithoutResult } from '../table/bill-lease.ts';
import { type CheckedBill, endWithResult, readBillDay } from '../table/bills.ts';
import type { TradeBillResult } from '../wechatpay/bill-file.ts';
import { type BillAnswer, notReady, readAnswer, readOutcome } from './answer.ts';
import { type BillContext, epochSecondsOf, type Run } from './context.ts';
import { beginOf, dayAfter, isFinal } from './day.ts';
import { gatherHere, gatherThere } from './gather.ts';
import { awaitOther, keepLease, tryLease } from './lease.ts';
import { tellAll } from './tell.ts';

/** So long before its end a run begins nothing that has to be finished. */
const MARGIN_MS = 60_000;
const DOWNLOAD_MS = 300_000;

/**
 * Checks the bill of a day. While another run does, this waits for it and answers its result.
 *
 * @throws when WeChat or the table fails; the next run begins anew, and nothing is done twice.
 */
export async function checkBill(context: BillContext, run: Run): Promise<BillAnswer> {
  const { date } = run;
  if (Number.isNaN(beginOf(date)) || beijingDay(epochSecondsOf(context)) <= date) {
    return notReady(date, 'the day is not over');
  }
  for (;;) {
    if ((await tryLease(context, run)) === 'taken') {
      return withLease(context, run);
    }
    const other = await awaitOther(context, date, MARGIN_MS);
    if (other !== 'lost') {
      return other === 'ended'
        ? readOutcome(context.table, date)
        : notReady(date, 'another run is under way');
    }
  }
}

async function withLease(context: BillContext, run: Run): Promise<BillAnswer> {
  const stopRenewing = keepLease(context, run);
  try {
    const files = await context.openTemporaryFiles();
    try {
      const reason = await fetchAndCompare(context, run, files);
      if (reason !== undefined) {
        stopRenewing();
        await endWithoutResult(context.table, run.date, run.runId, reason);
        return notReady(run.date, reason);
      }
      return await readAnswer(context.table, run.date);
    } finally {
      await files.remove();
    }
  } catch (error) {
    stopRenewing();
    await endWithoutResult(context.table, run.date, run.runId, 'the run failed');
    throw error;
  } finally {
    stopRenewing();
  }
}

/** @returns why there is nothing to compare, when there is not. */
async function fetchAndCompare(
  context: BillContext,
  run: Run,
  files: TemporaryFiles,
): Promise<string | undefined> {
  const { date } = run;
  const parties = await context.findParties();
  const bill = await context.bills().downloadTradeBill({ ...parties, date }, files.file('bill'), {
    timeoutMs: Math.min(DOWNLOAD_MS, context.remainingMs() - MARGIN_MS),
  });
  if (bill.kind === 'not-ready') {
    return bill.reason;
  }
  if (bill.kind === 'empty' && !isFinal(date, epochSecondsOf(context))) {
    return 'WeChat has no bill yet';
  }
  try {
    await compareBill(context, run, files, { ...bill, subMchid: parties.subMchid });
    return undefined;
  } catch (error) {
    if (error instanceof BillRefusedError) {
      return `the bill is refused: ${error.message}`;
    }
    throw error;
  }
}

async function compareBill(
  context: BillContext,
  run: Run,
  files: TemporaryFiles,
  bill: Exclude<TradeBillResult, { readonly kind: 'not-ready' }> & Pick<Parties, 'subMchid'>,
): Promise<void> {
  const { table } = context;
  const { date, runId } = run;
  const before = await readBillDay(table, date);
  const sha1 = bill.kind === 'downloaded' ? bill.sha1 : undefined;
  const { there, totals } = await gatherThere(
    files,
    bill.kind === 'downloaded' ? bill.open() : undefined,
  );
  const here = await gatherHere(context, files, date);
  const counted = await tellAll(context, run, { here, there }, sha1);
  const timed = { ...run, nowEpochSeconds: epochSecondsOf(context) };
  const gone = await resolveGone(table, timed);
  const lastRates = (await readBillDay(table, dayAfter(date, -1)))?.checked?.rates ?? [];
  const isEmpty = totals.payments.count + totals.refunds.count === 0;
  const agreed = isEmpty ? 'EMPTY' : 'BALANCED';
  const checked: CheckedBill = {
    state: counted.differences > 0 ? 'DIFFERENCES' : agreed,
    sha1,
    paymentCount: totals.payments.count,
    paymentFen: totals.payments.totalFen,
    refundCount: totals.refunds.count,
    refundFen: totals.refunds.totalFen,
    feeMilliFen: totals.feeMilliFen,
    rates: totals.rates.length > 0 ? totals.rates : lastRates,
    newRates: lastRates.length > 0 ? totals.rates.filter((rate) => !lastRates.includes(rate)) : [],
    subMchid: bill.subMchid,
    carriedOver: counted.carriedOver,
    foreign: counted.foreign,
    differenceCount: counted.differences,
    repairedCount: counted.repaired,
    appeared: before?.checked ? counted.appeared : 0,
    gone,
  };
  const at = { runId, nowEpochSeconds: epochSecondsOf(context) };
  const ended = await endWithResult(table, date, at, checked, before?.checked);
  if (ended === 'lost') {
    throw new Error('the lease of the run was lost');
  }
  context.log.info('the bill was checked', {
    date,
    ...checked,
    rates: checked.rates.join(' '),
    newRates: checked.newRates.join(' '),
  });
}
