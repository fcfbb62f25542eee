/** Batches of the table's stream that publish could not bring to an end. */
import type { DynamoDBRecord } from 'aws-lambda';

export interface FailedBatches {
  /** Their names, the oldest first. */
  readonly list: () => Promise<readonly string[]>;
  /** What is in one; nothing when it is no batch. */
  readonly read: (name: string) => Promise<readonly DynamoDBRecord[] | undefined>;
  /** Absent: they stay where they are. */
  readonly remove?: ((name: string) => Promise<void>) | undefined;
}
