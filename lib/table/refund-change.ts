/** Changes of a refund, with what they do to its order: one transaction, all of it or nothing. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Refund } from '../refund/refund.ts';
import type { OrderEffect } from '../refund/transition.ts';
import { keyOf, number } from './attributes.ts';
import { probe } from './balance.ts';
import type { Table, TableConnection } from './client.ts';
import { appendFacts } from './facts.ts';
import { carry, type CarriedNotification } from './notification-attribute.ts';
import {
  isNoEffect,
  orderUpdate,
  proof,
  putNew,
  RETURN_ROW,
  turn,
  type Turns,
} from './refund-account.ts';
import { factsOfChange, newRefundItem } from './refund-facts.ts';
import { refundToItem } from './refund-row.ts';
import { retained, retention } from './retention.ts';
import { refundKey } from './schema.ts';
import { transact, type TransactionOutcome } from './transaction.ts';

/** How a change ended, with the refund as it was written; or as it was to be written. */
export interface Changed {
  readonly change: Change;
  readonly refund: Refund;
}

/** How a change ended: `changed-meanwhile` by somebody else, and the row has to be read again. */
export type Change = 'written' | 'above-payment' | 'changed-meanwhile' | 'turn-taken';

/** What a change takes or does besides the refund's own row: turns when it is sent, else an effect. */
interface Consequences {
  readonly turns?: Turns | undefined;
  readonly effect?: OrderEffect | undefined;
  /** The message that led to it, to be kept with it. */
  readonly notification?: CarriedNotification | undefined;
}

/**
 * Changes a refund from what was read to what it becomes, and its order with it. The row's
 * `changedAt` grows with every change, so of two writers who read the same row one is refused.
 *
 * Conditions: the refund is still what was read; those of the turns.
 */
export async function changeRefund(
  table: Table,
  before: Refund,
  after: Refund,
  { turns, effect, notification, nowMs }: Consequences & { readonly nowMs: number },
): Promise<Changed> {
  const nowEpochSeconds = Math.floor(nowMs / 1000);
  const refund = { ...after, changedAtEpochMs: Math.max(nowMs, before.changedAtEpochMs + 1) };
  const facts = appendFacts(factsOfChange(before, refund, nowEpochSeconds));
  const kept = hasEnded(refund) ? retention(table, nowEpochSeconds) : NOTHING;
  const row = rowUpdate(table, before, refund, [facts, carry(notification), kept]);
  const change = await writeChange(table, row, refund, { turns, effect, nowEpochSeconds });
  return { change, refund };
}

async function writeChange(
  table: Table,
  row: TransactWriteItem,
  refund: Refund,
  { turns, effect, nowEpochSeconds }: Consequences & { readonly nowEpochSeconds: number },
): Promise<Change> {
  if (turns) {
    const taken = [
      ...(turns.order
        ? [orderUpdate(table, refund, nowEpochSeconds, [turn(nowEpochSeconds)])]
        : []),
      ...(turns.probe ? [probe(table, refund, nowEpochSeconds)] : []),
    ];
    return changeOf(await transact(table, [row, ...taken]), 'turn-taken');
  }
  return !effect || isNoEffect(effect)
    ? changeOf(await transact(table, [row]), 'changed-meanwhile')
    : withEffect(table, row, refund, effect, nowEpochSeconds);
}

/** What the first row's refusal means, or that of any other. */
function changeOf(outcome: TransactionOutcome, otherwise: Change): Change {
  if (outcome === 'written') {
    return 'written';
  }
  return outcome[0] ? 'changed-meanwhile' : otherwise;
}

/**
 * A change with what it does to the order. What WeChat proves above the payment is recorded all the
 * same: then the order is marked by the same transaction, for the person who looks into the alarm.
 */
async function withEffect(
  table: Table,
  refundPart: TransactWriteItem,
  refund: Refund,
  effect: OrderEffect,
  nowEpochSeconds: number,
): Promise<Change> {
  const send = (above: Parameters<typeof proof>[1]) =>
    transact(table, [
      refundPart,
      orderUpdate(table, refund, nowEpochSeconds, [proof(effect, above)]),
    ]);
  const outcome = await send({ mostFen: refund.totalFen - effect.provesFen });
  const first = changeOf(outcome, 'above-payment');
  if (outcome === 'written' || first !== 'above-payment') {
    return first;
  }
  // As the order was when it refused.
  const { provedFen } = outcome[1]?.item ?? {};
  const second = await send({
    ...refund,
    markAt: nowEpochSeconds,
    provedFen: Number(provedFen?.N ?? 0) + effect.provesFen,
  });
  return second === 'written' ? 'above-payment' : 'changed-meanwhile';
}

/**
 * From one row to another, attribute by attribute, with what the change adds. Condition: the row is
 * still the first one.
 */
function rowUpdate(
  table: TableConnection,
  before: Refund,
  after: Refund,
  added: readonly ReturnType<typeof appendFacts>[],
): TransactWriteItem {
  const [old, next] = [refundToItem(before), refundToItem(after)];
  // The place in the index always: rows of before there were classes have another.
  const changed = Object.entries(next).filter(
    ([name, value]) => name === 'GSI1PK' || !isEqual(old[name], value),
  );
  const set = changed.map(([name]) => name);
  const sets = [...set.map((name) => `#${name} = :${name}`), ...added.flatMap((each) => each.sets)];
  const removed = Object.keys(old).filter((name) => next[name] === undefined);
  const remove =
    removed.length === 0 ? '' : ` REMOVE ${removed.map((name) => `#${name}`).join(', ')}`;
  return {
    Update: {
      TableName: table.tableName,
      Key: keyOf(refundKey(before)),
      UpdateExpression: `SET ${sets.join(', ')}${remove}`,
      ConditionExpression: '#changedAtMs = :read',
      ExpressionAttributeNames: Object.fromEntries(
        [...new Set(['changedAtMs', ...set, ...removed])].map((name) => [`#${name}`, name]),
      ),
      ExpressionAttributeValues: {
        ':read': number(before.changedAtEpochMs),
        ...Object.fromEntries(changed.map(([name, value]) => [`:${name}`, value])),
        ...Object.assign({}, ...added.map((each) => each.values)),
      },
      ...RETURN_ROW,
    },
  };
}

const NOTHING = { sets: [], values: {} };

/** Nothing is asked about it any more. */
const hasEnded = ({ status, nextCheckAtEpochSeconds: next }: Refund) =>
  (status === 'SUCCESS' || status === 'CLOSED') && next === undefined;

const isEqual = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/**
 * Writes the row of a refund that nobody asked for here: WeChat proved it. Condition: there is none.
 */
export async function recordConsoleRefund(
  table: Table,
  refund: Refund,
  effect: OrderEffect,
): Promise<Change> {
  const nowEpochSeconds = Math.floor(refund.changedAtEpochMs / 1000);
  const kept = hasEnded(refund) ? retained(table, nowEpochSeconds) : {};
  const row = putNew(table, { ...newRefundItem(refund), ...kept });
  return isNoEffect(effect)
    ? changeOf(await transact(table, [row]), 'changed-meanwhile')
    : withEffect(table, row, refund, effect, nowEpochSeconds);
}
