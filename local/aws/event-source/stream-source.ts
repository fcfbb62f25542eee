/** Where the records of a table's stream come from. */
import type { DynamoDBRecord } from 'aws-lambda';

/** A part of a stream whose records are in order. */
export interface Shard {
  readonly shardId: string;
  /** Is read to its end before this one, if it is there. */
  readonly parentShardId?: string;
}

export interface StreamRead {
  /** The oldest first. */
  readonly records: readonly DynamoDBRecord[];
  /** The shard takes no more records, and these are its last. */
  readonly ended: boolean;
}

export interface StreamSource {
  /** Names the stream: a position in it is none in another. */
  readonly streamArn: string;
  listShards(): Promise<readonly Shard[]>;
  /**
   * Records after the one with this sequence number, from the oldest one that is kept if `after` is
   * undefined or not kept any more. As many as there are, at most `limit`, which is up to 1,000.
   */
  read(shardId: string, after: string | undefined, limit: number): Promise<StreamRead>;
  /**
   * Drops the oldest records up to this one, some at a time, for nobody will read them again. Absent
   * where the stream drops them by itself.
   */
  trim?(shardId: string, upTo: string): void;
  /**
   * Whether the shard has come as far as this position: it has not when it is an earlier copy of the
   * one that the position is of. Absent where nobody puts copies back.
   */
  hasReached?(shardId: string, position: string): boolean;
}

/** Grows along a shard; a text, because it has more digits than a number can hold. */
export const sequenceOf = ({ dynamodb }: DynamoDBRecord): string => dynamodb?.SequenceNumber ?? '';
