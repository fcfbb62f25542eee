/** `ops events …`: what was told to the merchant's systems, and telling it again. */
import type { Command } from 'commander';
import { openEventsClient } from '../../lib/publish/client.ts';
import { FIRST_MERCHANT } from '../../lib/order/order-id.ts';
import { queryRows, scanRows } from '../../lib/table/rows.ts';
import { orderKey } from '../../lib/table/schema.ts';
import { required } from '../../lib/runtime/environment.ts';
import { loadPublishConfig } from '../../lib/runtime/publish-config.ts';
import { assertAgreed, type Context, type Perform } from '../command.ts';
import { UsageError } from '../errors.ts';
import { listLocalEvents, type ListOptions } from '../events/local-events.ts';
import { readPeriod } from '../events/period.ts';
import { rebuildEvents } from '../events/rebuild.ts';
import { type Replayed, replayBatch } from '../events/replay.ts';
import { type Result, table } from '../output.ts';
import { isStage } from '../targets/target.ts';
import type { Texts } from '../texts/en.ts';

interface RebuildOptions {
  readonly from?: string;
  readonly to?: string;
  readonly order?: string;
  readonly dryRun?: true;
}

interface ReplayOptions {
  readonly delete?: true;
}

/** Adds the commands about events. */
export function addEvents(program: Command, say: Texts, perform: Perform): void {
  const events = program.command('events').description(say.events);
  const list = events
    .command('list')
    .description(say.eventsList)
    .option('--order <outTradeNo>', say.eventsListOrder)
    .option('--type <detailType>', say.eventsListType)
    .option('--after <id>', say.eventsListAfter);
  perform(list, listEvents);
  const rebuild = events
    .command('rebuild')
    .description(say.eventsRebuild)
    .option('--from <time>', say.rebuildFrom)
    .option('--to <time>', say.rebuildTo)
    .option('--order <outTradeNo>', say.rebuildOrder)
    .option('--dry-run', say.rebuildDryRun);
  perform(rebuild, rebuildPeriod);
  const replay = events
    .command('replay')
    .description(say.eventsReplay)
    .option('--delete', say.replayDelete);
  perform(replay, replayFailed);
}

async function listEvents({ say, target }: Context, options: ListOptions): Promise<Result> {
  if (target.apiUrl === undefined) {
    throw new UsageError(say.listIsLocal);
  }
  const events = await listLocalEvents(target.apiUrl, options, say);
  const rows = events.map(({ id, time, detailType, detail }) => {
    const { outTradeNo, eventId } = detail;
    return [id, time, detailType, textOf(outTradeNo), textOf(eventId)];
  });
  return {
    isGood: true,
    data: { events },
    lines: [rows.length === 0 ? say.noEvents : table(say.eventColumns, rows)],
  };
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

async function rebuildPeriod(context: Context, options: RebuildOptions): Promise<Result> {
  const { say, target } = context;
  const { from, to, order, dryRun } = options;
  if (from === undefined && order === undefined) {
    throw new UsageError(say.fromMissing);
  }
  const period = readPeriod(from ?? '1970-01-01', to, say);
  if (!dryRun && isStage(target)) {
    await assertAgreed(context, say.askRebuild(target.name));
  }
  const name = required(target.environment, 'EVENT_BUS_NAME');
  const bus = dryRun ? undefined : { client: openEventsClient(), name };
  const progress = context.terminal.startProgress(say.reading);
  const pages =
    order === undefined
      ? scanRows(target.table)
      : queryRows(target.table, orderKey({ merchantKey: FIRST_MERCHANT, outTradeNo: order }).PK);
  const rebuilt = await rebuildEvents(pages, period, bus, (rows) => {
    progress.update(rows, 0);
  }).finally(() => {
    progress.stop();
  });
  const { rows, events, unreadable, failure } = rebuilt;
  const count = sumOf(events);
  return {
    isGood: unreadable.length === 0 && failure === undefined,
    data: { isDryRun: dryRun ?? false, ...rebuilt },
    lines: [
      ...tableOf(events, say),
      say.rowsRead(rows),
      dryRun ? say.wouldSend(count) : say.sent(count, name),
      ...(unreadable.length > 0 ? [say.unreadable(unreadable.length), ...unreadable] : []),
      ...(failure === undefined ? [] : [say.stopped(failure)]),
    ],
  };
}

async function replayFailed(context: Context, options: ReplayOptions): Promise<Result> {
  const { say, target, terminal } = context;
  const { list, remove } = target.failedBatches;
  if (options.delete && !remove) {
    throw new UsageError(say.deleteIsForStages);
  }
  const names = await list();
  if (names.length === 0) {
    return { isGood: true, data: { batches: [] }, lines: [say.noBatches] };
  }
  if (isStage(target)) {
    await assertAgreed(context, say.askReplay(names.length, target.name));
  }
  const progress = terminal.startProgress(say.sending);
  const batches: (Replayed & { readonly name: string; readonly isDeleted: boolean })[] = [];
  for (const name of names) {
    const replayed = await replayOne(context, name);
    const isDeleted = Boolean(options.delete) && replayed.isDone && replayed.problems.length === 0;
    if (isDeleted) {
      await remove?.(name);
    }
    batches.push({ name, ...replayed, isDeleted });
    progress.update(batches.length, names.length);
    if (!replayed.isDone) {
      break;
    }
  }
  progress.stop();
  return describeReplay(batches, names.length, say);
}

async function replayOne({ target, say }: Context, name: string): Promise<Replayed> {
  const records = await target.failedBatches.read(name);
  if (!records) {
    // There is nothing in it that could be sent, now or later.
    return { events: {}, problems: [say.noBatch(name)], attention: [], isDone: true };
  }
  const { eventBusName, notificationRetentionDays } = loadPublishConfig(target.environment);
  return replayBatch(records, {
    table: target.table,
    events: openEventsClient(),
    eventBusName,
    notificationRetentionDays,
  });
}

function describeReplay(
  batches: readonly (Replayed & { readonly name: string; readonly isDeleted: boolean })[],
  all: number,
  say: Texts,
): Result {
  const events: Record<string, number> = {};
  for (const [type, count] of batches.flatMap((batch) => Object.entries(batch.events))) {
    events[type] = (events[type] ?? 0) + count;
  }
  const problems = batches.flatMap((batch) => batch.problems);
  const attention = batches.flatMap((batch) => batch.attention);
  const sent = batches.filter(({ isDone }) => isDone).length;
  const deleted = batches.filter(({ isDeleted }) => isDeleted).length;
  return {
    isGood: sent === all && problems.length === 0,
    data: { events, left: all - sent, batches },
    lines: [
      ...tableOf(events, say),
      say.batches(sent, all),
      ...(deleted > 0 ? [say.deleted(deleted)] : []),
      ...(attention.length > 0 ? [say.attention, ...attention] : []),
      ...problems,
    ],
  };
}

const sumOf = (events: Readonly<Record<string, number>>) =>
  Object.values(events).reduce((sum, count) => sum + count, 0);

const tableOf = (events: Readonly<Record<string, number>>, say: Texts) =>
  Object.keys(events).length === 0 ? [] : [table(say.typeColumns, Object.entries(events))];
