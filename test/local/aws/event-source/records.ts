/** Records of a table's stream. */
import type { DynamoDBRecord } from 'aws-lambda';

/** The real time at which every record of `recordOf` was made. */
export const MADE_AT_SECONDS = 1_800_000_000;

/** A record with this sequence number, as the filter of facts lets it through. */
export const recordOf = (sequenceNumber: string, more: object = {}): DynamoDBRecord => ({
  eventID: sequenceNumber,
  eventName: 'INSERT',
  dynamodb: {
    SequenceNumber: sequenceNumber,
    ApproximateCreationDateTime: MADE_AT_SECONDS,
    SizeBytes: 100,
    NewImage: { factCount: { N: '1' } },
    ...more,
  },
});

/** Records `1` to `count`. */
export const recordsUpTo = (count: number): DynamoDBRecord[] =>
  Array.from({ length: count }, (_, index) => recordOf(String(index + 1)));

export const numbersOf = (records: readonly DynamoDBRecord[]) =>
  records.map(({ dynamodb }) => dynamodb?.SequenceNumber);
