/** `ops notifications …`: did WeChat call, what did we say, and what would we say now. */
import type { Command } from 'commander';
import { machine, openResources } from '../../lib/deployment.ts';
import { applyRedrive, type KeptNotification, planRedrive } from '../../lib/evidence/redrive.ts';
import { FIRST_MERCHANT } from '../../lib/order/order-id.ts';
import { type ArchivedNotification, listNotifications } from '../../lib/table/notifications.ts';
import { queryRows } from '../../lib/table/rows.ts';
import type { TableConnection } from '../../lib/table/client.ts';
import { orderKey, type RowKey, unknownPaymentKey } from '../../lib/table/schema.ts';
import { assertAgreed, type Context, type Perform } from '../command.ts';
import { UsageError } from '../errors.ts';
import { describeOutcome, describePlan, isInOrder } from '../notifications/plan.ts';
import { quietLog } from '../notifications/quiet-log.ts';
import { type Result, table } from '../output.ts';
import type { Texts } from '../texts/en.ts';

interface NumberOptions {
  readonly unknown?: true;
}

interface RedriveOptions extends NumberOptions {
  readonly apply?: true;
}

/** Adds the commands about what WeChat sent. */
export function addNotifications(program: Command, say: Texts, perform: Perform): void {
  const notifications = program.command('notifications').description(say.notifications);
  const list = notifications
    .command('list')
    .description(say.notificationsList)
    .argument('<outTradeNo>', say.outTradeNo)
    .option('--unknown', say.unknown);
  perform(list, listOfOrder);
  const redrive = notifications
    .command('redrive')
    .description(say.notificationsRedrive)
    .argument('<outTradeNo>', say.outTradeNo)
    .argument('<id>', say.notificationId)
    .option('--unknown', say.unknown)
    .option('--apply', say.apply);
  perform(redrive, redriveOne);
}

async function listOfOrder(
  { say, target }: Context,
  { unknown }: NumberOptions,
  number: string,
): Promise<Result> {
  const key = keyOf(number, unknown);
  const notifications = await listNotifications(target.table, key.PK);
  if (notifications.length === 0 && !(await findRow(target.table, key))) {
    const absent = unknown ? say.noSuchPayment(number) : say.noSuchOrder(number);
    return { isGood: false, data: { notifications }, lines: [absent] };
  }
  const rows = notifications.map(
    ({ receivedAt, apiVersion, kind, decision, from, to, ...rest }) => [
      receivedAt,
      apiVersion,
      say[`about_${kind}`],
      decision,
      from === undefined ? '' : `${from} → ${to}`,
      rest.answer,
      rest.id,
    ],
  );
  return {
    isGood: true,
    data: { notifications },
    lines: [rows.length === 0 ? say.noNotifications : table(say.notificationColumns, rows)],
  };
}

async function redriveOne(
  context: Context,
  { unknown, apply }: RedriveOptions,
  number: string,
  id: string,
): Promise<Result> {
  const { say, target } = context;
  const notification = choose(
    await listNotifications(target.table, keyOf(number, unknown).PK),
    id,
    say,
  );
  const { nowMs, environment } = target;
  const resources = { ...openResources({ ...machine, environment, nowMs }), log: quietLog };
  const kept = keptIn(notification, say);
  const plan = await planRedrive(resources, kept);
  const words = describePlan(plan, say);
  if (!apply) {
    const lines = plan.decision === 'apply' ? [...words, say.nothingWritten] : words;
    return { isGood: isInOrder(plan), data: { notification, plan, isApplied: false }, lines };
  }
  context.terminal.err(words.join('\n'));
  await assertAgreed(context, say.askApply(target.name));
  const { kind: decision } = await applyRedrive(resources, kept);
  const after = await planRedrive(resources, kept);
  return {
    isGood: isInOrder(after),
    data: { notification, plan, isApplied: true, decision, after },
    lines: describeOutcome(plan, after, say),
  };
}

/** The row that WeChat's messages changed. */
const keyOf = (number: string, isUnknown: boolean | undefined) =>
  isUnknown
    ? unknownPaymentKey(number)
    : orderKey({ merchantKey: FIRST_MERCHANT, outTradeNo: number });

async function findRow(connection: TableConnection, { PK, SK }: RowKey) {
  for await (const rows of queryRows(connection, PK, SK)) {
    return rows[0];
  }
  return undefined;
}

/** @throws {UsageError} for an id that is nobody's, or more than one's. */
function choose(
  notifications: readonly ArchivedNotification[],
  id: string,
  say: Texts,
): ArchivedNotification {
  const named = notifications.filter((each) => each.id === id);
  const found = named.length > 0 ? named : notifications.filter((each) => each.id.startsWith(id));
  // One message can change an order's row and then a refund's: it is kept once for each.
  const [first] = found;
  if (!first) {
    throw new UsageError(say.noSuchNotification(id));
  }
  if (found.some((each) => each.id !== first.id)) {
    throw new UsageError(say.manyNotifications(id));
  }
  return first;
}

function keptIn({ apiVersion, content }: ArchivedNotification, say: Texts): KeptNotification {
  if (content === undefined) {
    throw new UsageError(say.notKept);
  }
  return { merchantKey: FIRST_MERCHANT, apiVersion, content };
}
