/** The runs of the schedule: 10:30 in Beijing, and hourly until 15:30 while yesterday has no bill. */
import { beijingDay } from '../time.ts';
import { readBillDay } from '../table/bills.ts';
import { type BillAnswer, readAnswer } from './answer.ts';
import { type BillContext, epochSecondsOf } from './context.ts';
import { dayAfter, isLastAttempt } from './day.ts';
import { checkBill } from './run.ts';

/** Checks yesterday, unless that is done. What is not ready after the day's last run raises an alarm. */
export async function checkYesterday(context: BillContext, runId: string): Promise<BillAnswer> {
  const { table, log } = context;
  const date = dayAfter(beijingDay(epochSecondsOf(context)), -1);
  if ((await readBillDay(table, date))?.checked) {
    return readAnswer(table, date);
  }
  const answer = await tryCheck(context, { date, runId });
  if (answer.state === 'NOT_READY' && isLastAttempt(date, epochSecondsOf(context))) {
    log.error('yesterday has no bill that could be compared', { date, reason: answer.reason });
    log.count('BillNotReady');
  }
  return answer;
}

/** A run that fails is no less without a bill than one that finds none. */
async function tryCheck(context: BillContext, run: Parameters<typeof checkBill>[1]) {
  try {
    return await checkBill(context, run);
  } catch (error) {
    if (isLastAttempt(run.date, epochSecondsOf(context))) {
      context.log.count('BillNotReady');
    }
    throw error;
  }
}
