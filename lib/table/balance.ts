/** Whether the merchant's balance is too short for refunds, and whose turn it is to find out. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { PROBE_PAUSE_SECONDS } from '../refund/pace.ts';
import type { OrderId } from '../order/order-id.ts';
import { type Item, keyOf, time, timeOf } from './attributes.ts';
import type { Table, TableConnection } from './client.ts';
import { RETURN_ROW } from './refund-account.ts';
import { balanceKey } from './schema.ts';
import { tryUpdate } from './update.ts';

/** A balance that was too short when a refund last asked. */
export interface ShortBalance {
  readonly probedAtEpochSeconds: number;
}

/** Nothing while the balance is good, as far as anybody knows. */
export function balanceFromItem(item: Item | undefined): ShortBalance | undefined {
  if (item === undefined || item['shortSince'] === undefined) {
    return undefined;
  }
  return { probedAtEpochSeconds: timeOf(item, 'probedAt') };
}

/** When the next refund may ask; a moment in the future, from a clock that was set back, is none. */
export function probeFreeAt(
  { probedAtEpochSeconds }: ShortBalance,
  nowEpochSeconds: number,
): number {
  return probedAtEpochSeconds > nowEpochSeconds
    ? nowEpochSeconds
    : probedAtEpochSeconds + PROBE_PAUSE_SECONDS;
}

/** Takes the merchant's turn to ask, within a transaction. Condition: no other refund just did. */
export function probe(
  table: TableConnection,
  id: OrderId,
  nowEpochSeconds: number,
): TransactWriteItem {
  return {
    Update: {
      TableName: table.tableName,
      Key: keyOf(balanceKey(id)),
      UpdateExpression: 'SET probedAt = :now',
      ConditionExpression:
        'attribute_not_exists(probedAt) OR probedAt <= :before OR probedAt > :now',
      ExpressionAttributeValues: {
        ':now': time(nowEpochSeconds),
        ':before': time(nowEpochSeconds - PROBE_PAUSE_SECONDS),
      },
      ...RETURN_ROW,
    },
  };
}

/** Notes that the balance was too short just now: from here on one refund asks and the others wait. */
export async function markBalanceShort(
  table: Table,
  id: OrderId,
  nowEpochSeconds: number,
): Promise<void> {
  await tryUpdate(table, balanceKey(id), {
    UpdateExpression: 'SET probedAt = :now, shortSince = if_not_exists(shortSince, :now)',
    ExpressionAttributeValues: { ':now': time(nowEpochSeconds) },
  });
}

/** Notes that WeChat took a refund again. Condition: somebody had noted otherwise. */
export async function markBalanceGood(table: Table, id: OrderId): Promise<void> {
  await tryUpdate(table, balanceKey(id), {
    UpdateExpression: 'REMOVE shortSince',
    ConditionExpression: 'attribute_exists(PK)',
  });
}
