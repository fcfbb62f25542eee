/** The DynamoDB connection: short time-outs, because a notification has 5 seconds in all. */
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';

/** Where to send, and which table: all that reading needs. */
export interface TableConnection {
  readonly client: Pick<DynamoDBClient, 'send'>;
  readonly tableName: string;
}

/** The table with what writing to it needs from outside. */
export interface Table extends TableConnection {
  /** Enters the number of every order made under an idempotency key; see `orderNumberFor`. */
  readonly scope: string;
  readonly randomBytes: (size: number) => Buffer;
  /** Calls `run` once after the delay; what comes back cancels it. */
  readonly startTimer: (delayMs: number, run: () => void) => () => void;
}

const MAX_ATTEMPTS = 3;
const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 1_500;
/** The SDK's pauses between the attempts: up to 100 ms, then up to 200 ms. */
const MAX_PAUSES_MS = 300;

/** The longest that one operation takes: every attempt is silent until its time is over. */
export const MAX_OPERATION_MS = MAX_ATTEMPTS * REQUEST_TIMEOUT_MS + MAX_PAUSES_MS;

/** Region, credentials and endpoint come from the SDK's own environment variables. */
export function openTableClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

/**
 * Opens the connection to DynamoDB with one harmless request that the function's role allows:
 * a read of, or a conditional write that never happens to, a row that does not exist.
 */
export async function openConnection(
  table: TableConnection,
  permitted: 'read' | 'write',
): Promise<void> {
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
