/** Marks of open work: whose turn it is to ask WeChat, how urgent it is, when it is looked at next. */
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import type { WorkClass } from '../order/work-class.ts';
import { isoTime } from '../time.ts';
import { number, text, time } from './attributes.ts';
import type { Table } from './client.ts';
import { openKeys, orderKey, type RowKey } from './schema.ts';
import { tryUpdate, type Update } from './update.ts';

/** An order as it was read, with its place in the index then. */
export type ReadOrder = OrderId & Pick<Order, 'nextCheckAtEpochSeconds' | 'isAskedAbout'>;

/**
 * Takes the turn to ask WeChat about an order, and makes it urgent for reconcile by the same write:
 * its buyer looks, so it may be paid. Conditions: it exists and is open; nobody took the turn in the
 * last `pauseSeconds`, where a turn in the future (a clock that was set back) is none.
 */
export async function claimCheck(
  table: Table,
  read: ReadOrder,
  nowEpochSeconds: number,
  pauseSeconds: number,
): Promise<'claimed' | 'taken'> {
  const asked = askedPlace(read);
  const outcome = await tryUpdate(table, orderKey(read), {
    UpdateExpression: `SET checkedAt = :now${asked ? ', GSI1PK = :asked' : ''}`,
    ConditionExpression:
      'tradeState = :open AND (attribute_not_exists(checkedAt) OR checkedAt <= :before OR checkedAt > :now)',
    ExpressionAttributeValues: {
      ':now': time(nowEpochSeconds),
      ':before': time(nowEpochSeconds - pauseSeconds),
      ':open': text('NOTPAY'),
      ...asked,
    },
  });
  return outcome === 'written' ? 'claimed' : 'taken';
}

/** The place that an order moves to because somebody asks about it, unless it is there already. */
function askedPlace(read: ReadOrder): Update['ExpressionAttributeValues'] {
  const { nextCheckAtEpochSeconds: dueAt, isAskedAbout = false } = read;
  return dueAt === undefined || isAskedAbout
    ? undefined
    : { ':asked': text(openKeys(read, 'asked', isoTime(dueAt)).GSI1PK) };
}

interface NextCheck {
  readonly checks: number;
  readonly nextCheckAtEpochSeconds: number;
  /** The attempt showed that asking does not settle the order. */
  readonly isUnsettled?: boolean;
  /** How urgent it is from now on; less than any first question unless said otherwise. */
  readonly workClass?: WorkClass;
}

/**
 * Notes that reconcile asked and the order is still unpaid, and when it looks again: less urgent than
 * any first question. Conditions: it
 * exists and still is, because an order that was paid meanwhile must not come back into the index of
 * open orders; and its place in the index is the one that was read, because whoever moved it
 * meanwhile (its buyer closes it, another run was quicker) knows better when it is due.
 */
export async function markChecked(
  table: Table,
  read: ReadOrder,
  nowEpochSeconds: number,
  { checks, nextCheckAtEpochSeconds, isUnsettled = false, workClass = 'later' }: NextCheck,
): Promise<void> {
  const { GSI1PK, GSI1SK } = openKeys(read, workClass, isoTime(nextCheckAtEpochSeconds));
  const readAt = read.nextCheckAtEpochSeconds;
  const samePlace = readAt === undefined ? 'attribute_not_exists(GSI1SK)' : 'GSI1SK = :read';
  await tryUpdate(table, orderKey(read), {
    UpdateExpression: `SET checkedAt = :now, checks = :checks, GSI1PK = :shard, GSI1SK = :next${
      isUnsettled ? ', unsettledSince = if_not_exists(unsettledSince, :now)' : ''
    }`,
    ConditionExpression: `tradeState = :open AND ${samePlace}`,
    ExpressionAttributeValues: {
      ...(readAt !== undefined && { ':read': time(readAt) }),
      ':now': time(nowEpochSeconds),
      ':open': text('NOTPAY'),
      ':checks': number(checks),
      ':shard': text(GSI1PK),
      ':next': text(GSI1SK),
    },
  });
}

/**
 * Puts off an order or refund whose row cannot be read: nothing of it is used but its keys. Condition: it is
 * still due; an order that left the index meanwhile must not come back, and of two runs that meet
 * one has put it off.
 */
export async function postponeUnread(
  table: Table,
  key: RowKey,
  nowEpochSeconds: number,
  nextCheckAtEpochSeconds: number,
): Promise<'written' | 'refused'> {
  const outcome = await tryUpdate(table, key, {
    UpdateExpression: 'SET GSI1SK = :next',
    ConditionExpression: 'GSI1SK <= :now',
    ExpressionAttributeValues: {
      ':now': time(nowEpochSeconds),
      ':next': time(nextCheckAtEpochSeconds),
    },
  });
  return outcome === 'written' ? 'written' : 'refused';
}

/**
 * Takes an order out of the index that is open no more, as one that was changed by hand can be.
 * Condition: it is not open.
 */
export async function leaveIndex(table: Table, id: OrderId): Promise<void> {
  await tryUpdate(table, orderKey(id), {
    UpdateExpression: 'REMOVE GSI1PK, GSI1SK',
    ConditionExpression: 'attribute_exists(PK) AND tradeState <> :open',
    ExpressionAttributeValues: { ':open': text('NOTPAY') },
  });
}
