/** The bucket into which Lambda puts batches that publish could not bring to an end. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { FailedBatches } from './failed-batches.ts';

/**
 * Objects are Lambda's invocation records, one a batch, with the event as it was given to the function.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export function openFailedEventsBucket(
  Bucket: string,
): FailedBatches & { readonly close: () => void } {
  const client = new S3Client();
  return {
    list: () => listKeys(client, Bucket),
    read: async (Key) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return recordsIn((await Body?.transformToString()) ?? '');
    },
    remove: async (Key) => {
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
    },
    close: () => client.destroy(),
  };
}

async function listKeys(client: S3Client, Bucket: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let after: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: after }));
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    after = page.NextContinuationToken;
  } while (after !== undefined);
  // Their names end with the day and the time.
  const timeIn = (key: string) => key.split('/').slice(-4).join('/');
  return keys.toSorted((a, b) => timeIn(a).localeCompare(timeIn(b), 'en'));
}

/** The event is a text in the record; nothing when there is none. */
function recordsIn(text: string): readonly DynamoDBRecord[] | undefined {
  try {
    const { payload } = JSON.parse(text) as { payload?: unknown };
    const event: unknown = typeof payload === 'string' ? JSON.parse(payload) : payload;
    const { Records } = event as DynamoDBStreamEvent;
    return Array.isArray(Records) ? Records : undefined;
  } catch {
    return undefined;
  }
}
