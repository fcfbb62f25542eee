/** Schedule, daily: does yesterday add up? WeChat's trade bill against the table, in both directions. */
import type { Context } from 'aws-lambda';
import { type BillAnswer, readAnswer } from '../lib/daily-bill/answer.ts';
import type { BillContext } from '../lib/daily-bill/context.ts';
import { type BillWish, readWish } from '../lib/daily-bill/event.ts';
import { explain } from '../lib/daily-bill/explain.ts';
import { writeReport } from '../lib/daily-bill/report.ts';
import { checkBill } from '../lib/daily-bill/run.ts';
import { checkYesterday } from '../lib/daily-bill/schedule.ts';
import { type Machine, machine, openBuyerResources } from '../lib/deployment.ts';
import { loadBillConfig } from '../lib/runtime/bill-config.ts';
import { countFailure } from '../lib/runtime/count-failure.ts';
import { once } from '../lib/runtime/init.ts';
import { describeError, type FunctionLog } from '../lib/runtime/log.ts';
import { openBills } from '../lib/wechatpay/open-bills.ts';

export type BillDependencies = Omit<BillContext, 'log' | 'remainingMs'>;

type BillHandler = (
  event: unknown,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
) => Promise<BillAnswer>;

/** Makes the handler of a run; what it found out is returned, and in the table. */
export function billHandler(
  dependencies: () => BillDependencies,
  functionLog: FunctionLog,
): BillHandler {
  return async (event, { awsRequestId: runId, getRemainingTimeInMillis }) => {
    const log = functionLog.forRequest(runId);
    try {
      const remainingMs = () => getRemainingTimeInMillis();
      const context = { ...dependencies(), log, remainingMs };
      const wish = readWish(event);
      return await (wish ? answer(context, wish, runId) : checkYesterday(context, runId));
    } catch (error) {
      log.error('bill failed', describeError(error));
      countFailure(log, error);
      throw error;
    } finally {
      functionLog.flush();
    }
  };
}

async function answer(context: BillContext, wish: BillWish, runId: string): Promise<BillAnswer> {
  const { date } = wish;
  if (wish.explain) {
    await explain(context, date, wish.explain);
  }
  const answered =
    wish.explain || wish.show
      ? await readAnswer(context.table, date)
      : await checkBill(context, { date, runId });
  return wish.csv ? { ...answered, csv: await writeReport(context.table, date) } : answered;
}

/** Bills are of the merchant, and asked for in the name of the deployment's mini-program. */
function open(machine: Machine): BillDependencies {
  const { config, merchant, miniProgram, ...resources } = openBuyerResources({
    ...machine,
    openTableClient: () => machine.openTableClient('patient'),
  });
  return {
    ...resources,
    ...loadBillConfig(machine.environment),
    bills: once(() => openBills(config.apiVersion, config, merchant, machine)),
    findParties: async () => {
      const { appid } = await miniProgram.current();
      const { mchid, subMchid, spAppid } = await merchant.current();
      return { appid, mchid, subMchid, spAppid };
    },
    openTemporaryFiles: machine.openTemporaryFiles,
    startTimer: machine.startTimer,
  };
}

/** The handler of one environment. Nobody waits for it, so nothing is warmed up. */
export async function openBill(machine: Machine): Promise<BillHandler> {
  return billHandler(
    once(() => open(machine)),
    machine.openLog('bill'),
  );
}

export const handler = await openBill(machine);
