/** All rows of the table, or all under one key, as they are: for whoever tells them again. */
import { type AttributeValue, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Item } from './attributes.ts';
import type { TableConnection } from './client.ts';

/**
 * Every row, page by page, each as it was at some moment of the scan. It reads the whole table, once:
 * a row that is written meanwhile may be missing.
 *
 * @throws what DynamoDB throws after the SDK's attempts.
 */
export async function* scanRows({ client, tableName }: TableConnection): AsyncGenerator<Item[]> {
  let start: Record<string, AttributeValue> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({ TableName: tableName, ConsistentRead: true, ExclusiveStartKey: start }),
    );
    yield Items;
    start = LastEvaluatedKey;
  } while (start);
}

/**
 * The rows under one `PK` whose `SK` begins with `prefix`, in its order, page by page, as they are now.
 *
 * @throws what DynamoDB throws after the SDK's attempts.
 */
export async function* queryRows(
  { client, tableName }: TableConnection,
  PK: string,
  prefix = '',
): AsyncGenerator<Item[]> {
  const isPart = prefix === '' ? undefined : ' AND begins_with(SK, :prefix)';
  let start: Record<string, AttributeValue> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: `PK = :pk${isPart ?? ''}`,
        ExpressionAttributeValues: {
          ':pk': { S: PK },
          ...(isPart && { ':prefix': { S: prefix } }),
        },
        ConsistentRead: true,
        ExclusiveStartKey: start,
      }),
    );
    yield Items;
    start = LastEvaluatedKey;
  } while (start);
}
