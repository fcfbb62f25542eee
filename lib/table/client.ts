/** The DynamoDB connection: few and short attempts, because a notification has 5 seconds in all. */
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
  /** For how many days the rows of an order stay once it has ended; for ever where it is absent. */
  readonly retentionDays?: number | undefined;
  readonly randomBytes: (size: number) => Buffer;
  /** Calls `run` once after the delay; what comes back cancels it. */
  readonly startTimer: (delayMs: number, run: () => void) => () => void;
}

/** Whoever called repeats the whole: a table that fails twice is left alone. */
const MAX_ATTEMPTS = 2;
const CONNECTION_TIMEOUT_MS = 800;
const REQUEST_TIMEOUT_MS = 1_000;
/** The SDK's pause between the attempts: up to 100 ms, and up to 500 ms when it was throttled. */
const MAX_PAUSES_MS = 500;

/** The longest that one operation takes: every attempt is silent until its time is over. */
export const MAX_OPERATION_MS = MAX_ATTEMPTS * REQUEST_TIMEOUT_MS + MAX_PAUSES_MS;

/** Nobody waits for it, and it is not begun anew for one slow answer: a page of an index is a megabyte. */
const PATIENT = { maxAttempts: 5, requestTimeoutMs: 10_000 };
const HASTY = { maxAttempts: MAX_ATTEMPTS, requestTimeoutMs: REQUEST_TIMEOUT_MS };

/**
 * Region, credentials and endpoint come from the SDK's own environment variables.
 *
 * @param patience for who reads a whole day; everybody else has a caller who waits.
 */
export function openTableClient(patience?: 'patient'): DynamoDBClient {
  const { maxAttempts, requestTimeoutMs } = patience ? PATIENT : HASTY;
  return new DynamoDBClient({
    maxAttempts,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
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
