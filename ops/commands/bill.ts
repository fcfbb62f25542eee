/** `ops bill …`: does a day add up, what does not, and what people say of it. */
import type { Command } from 'commander';
import type { BillAnswer, ShownDifference } from '../../lib/daily-bill/answer.ts';
import { beginOf } from '../../lib/daily-bill/day.ts';
import type { Context, Perform } from '../command.ts';
import { UsageError } from '../errors.ts';
import { type Result, table } from '../output.ts';
import type { Texts } from '../texts/en.ts';

interface ReportOptions {
  readonly csv?: true;
}

interface ExplainOptions {
  readonly line?: string;
}

/** Adds the commands about the daily bill. */
export function addBill(program: Command, say: Texts, perform: Perform): void {
  const bill = program.command('bill').description(say.bill);
  const run = bill
    .command('run')
    .description(say.billRun)
    .argument('<date>', say.billDate)
    .option('--csv', say.billCsv);
  perform(run, (context, options: ReportOptions, date) => ask(context, date, {}, options));
  const show = bill
    .command('show')
    .description(say.billShow)
    .argument('<date>', say.billDate)
    .option('--csv', say.billCsv);
  perform(show, (context, options: ReportOptions, date) =>
    ask(context, date, { show: true }, options),
  );
  const explain = bill
    .command('explain')
    .description(say.billExplain)
    .argument('<date>', say.billDate)
    .argument('<kind>', say.billKind)
    .argument('<number>', say.billNumber)
    .argument('<note>', say.billNote)
    .option('--line <line>', say.billLine);
  perform(explain, explainOne);
}

async function explainOne(
  context: Context,
  options: ExplainOptions,
  date: string,
  kind: string,
  number: string,
  note: string,
): Promise<Result> {
  const line = options.line === undefined ? undefined : Number(options.line);
  if (line !== undefined && !Number.isSafeInteger(line)) {
    throw new UsageError(context.say.badLine);
  }
  try {
    return await ask(context, date, { explain: { kind, number, note, line } }, {});
  } catch (error) {
    if (error instanceof Error && error.message.endsWith('(field=explain)')) {
      throw new Error(context.say.noDifference(date, kind, number), { cause: error });
    }
    throw error;
  }
}

async function ask(
  { say, target, terminal }: Context,
  date: string,
  wish: object,
  { csv }: ReportOptions,
): Promise<Result> {
  if (Number.isNaN(beginOf(date))) {
    throw new UsageError(say.badDay(date));
  }
  const event = { date, ...wish, ...(csv && { format: 'csv' }) };
  const answer = (await target.invoke('bill', event)) as BillAnswer;
  if (csv && answer.state === 'NOT_READY') {
    // The table has what an earlier run found, if anything.
    terminal.err(say.billNotReady(date, answer.reason ?? ''));
  }
  return {
    isGood: isGood(answer),
    data: answer,
    lines: csv ? [(answer.csv ?? '').trimEnd()] : describe(answer, say),
  };
}

/** What a person has explained is nobody's work any more; what is not shown, nobody has looked at. */
const isGood = ({ state, differences, differenceCount }: BillAnswer) =>
  state !== 'NOT_READY' &&
  differenceCount === differences.length &&
  differences.every((one) => one.state === 'EXPLAINED');

function describe(answer: BillAnswer, say: Texts): string[] {
  const { date, state, reason, payments, refunds, repaired, differences, differenceCount } = answer;
  if (state === 'NOT_READY') {
    return [say.billNotReady(date, reason ?? '')];
  }
  const lines = [
    `${date}: ${state}`,
    say.billSums(payments, refunds, answer.feesFen),
    say.billApart(answer.carriedOver, answer.foreign),
  ];
  if (differences.length > 0) {
    lines.push(table(say.billColumns, differences.map(rowOf)));
  }
  if (differenceCount > differences.length) {
    lines.push(say.billMore(differenceCount));
  }
  if (repaired.length > 0) {
    const rows = repaired.map((one) => [one.kind, one.outTradeNo, one.outRefundNo, one.repair]);
    lines.push(say.billRepaired, table(say.billRepairColumns, rows));
  }
  return lines;
}

const rowOf = (one: ShownDifference) => [
  one.kind,
  one.state,
  one.outTradeNo,
  one.outRefundNo ?? one.transactionId,
  one.hereFen,
  one.thereFen,
  one.line,
  one.note ?? one.wechat,
];
