/** The DynamoDB connection: short time-outs, because a notification has 5 seconds in all. */
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';

/** What the table functions need: where to send, and which table. */
export interface Table {
  readonly client: Pick<DynamoDBClient, 'send'>;
  readonly tableName: string;
}

/** Region, credentials and endpoint come from the SDK's own environment variables. */
export function openTableClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 1_000,
      requestTimeout: 1_500,
      throwOnRequestTimeout: true,
    },
  });
}

/**
 * Opens the connection to DynamoDB with one harmless request that the function's role allows:
 * a read of, or a conditional write that never happens to, a row that does not exist.
 */
export async function openConnection(table: Table, permitted: 'read' | 'write'): Promise<void> {
  const target = {
    TableName: table.tableName,
    Key: { PK: { S: 'CONNECTION' }, SK: { S: 'CONNECTION' } },
  };
  await table.client.send(
    permitted === 'read'
      ? new GetItemCommand(target)
      : new UpdateItemCommand({ ...target, ConditionExpression: 'attribute_exists(PK)' }),
  );
}
