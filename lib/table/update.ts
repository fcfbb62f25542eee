/** One conditional update, whose refusal is an outcome and no error. */
import {
  ConditionalCheckFailedException,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Item } from './attributes.ts';
import type { Table } from './client.ts';
import { retryConflicts } from './conflict.ts';
import type { RowKey } from './schema.ts';
import { keyOf } from './attributes.ts';

/** An update without what every one of them has: the table, the key, the row with the refusal. */
export type Update = Pick<
  UpdateItemCommandInput,
  | 'UpdateExpression'
  | 'ConditionExpression'
  | 'ExpressionAttributeNames'
  | 'ExpressionAttributeValues'
>;

/** `written`, or the row (if any) that did not meet the condition. */
export async function tryUpdate(
  table: Table,
  key: RowKey,
  update: Update,
): Promise<'written' | { readonly item: Item | undefined }> {
  try {
    const command = new UpdateItemCommand({
      ...update,
      TableName: table.tableName,
      Key: keyOf(key),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await retryConflicts(table, () => table.client.send(command));
    return 'written';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      return { item: error.Item };
    }
    throw error;
  }
}
