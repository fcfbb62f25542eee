/** Batches that failed for good, given once more to what publish does with them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PutEventsCommand, PutEventsCommandOutput } from '@aws-sdk/client-eventbridge';
import type { DynamoDBRecord } from 'aws-lambda';
import type { EventsClient } from '../../lib/publish/client.ts';
import { type PublishContext, publishRecords } from '../../lib/publish/publish.ts';
import type { Log } from '../../lib/runtime/log.ts';

export type ReplayContext = Omit<PublishContext, 'log' | 'remainingMs'>;

export interface Replayed {
  /** How many events the bus took, by their type. */
  readonly events: Readonly<Record<string, number>>;
  /** What could not be read or sent, in the words of publish's log. */
  readonly problems: readonly string[];
  /** Facts about money that a person must look into, each once; an alarm that rang would say so. */
  readonly attention: readonly string[];
  /** Whether all that can be read was sent. */
  readonly isDone: boolean;
}

const PAUSES_MS = [200, 1000, 3000];

/** From the first record that was given back on, a few times; at least once, as ever. */
export async function replayBatch(
  records: readonly DynamoDBRecord[],
  context: ReplayContext,
): Promise<Replayed> {
  const events: Record<string, number> = {};
  const unreadable: string[] = [];
  const attention = new Set<string>();
  let left = records;
  for (let attempt = 0; ; attempt += 1) {
    const refused: string[] = [];
    const { batchItemFailures } = await publishRecords(left, {
      ...context,
      events: countingBus(context.events, events),
      log: collectingLog(unreadable, refused, attention),
      remainingMs: () => Number.POSITIVE_INFINITY,
    });
    const [failed] = batchItemFailures;
    const pause = PAUSES_MS[attempt];
    if (!failed || pause === undefined) {
      const problems = [...new Set([...unreadable, ...refused])];
      return { events, problems, attention: [...attention], isDone: failed === undefined };
    }
    left = left.slice(
      left.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed.itemIdentifier),
    );
    await delay(pause);
  }
}

/** A bus that counts what it takes. */
function countingBus(client: EventsClient, events: Record<string, number>): EventsClient {
  const send = async (command: PutEventsCommand): Promise<PutEventsCommandOutput> => {
    const answer = await client.send(command);
    for (const [index, { DetailType = '' }] of (command.input.Entries ?? []).entries()) {
      if (answer.Entries?.[index]?.ErrorCode === undefined) {
        events[DetailType] = (events[DetailType] ?? 0) + 1;
      }
    }
    return answer;
  };
  return { send: send as EventsClient['send'] };
}

/** What is passed over is said once, what is refused only if it is so in the end. */
function collectingLog(unreadable: string[], refused: string[], attention: Set<string>): Log {
  return {
    info: () => undefined,
    warn: () => undefined,
    count: () => undefined,
    error: (message, { reason, awsCode, eventId, detailType, metric, code } = {}) => {
      if (metric !== undefined) {
        attention.add(`${detailType} ${eventId}`);
        return;
      }
      const list = code === 'ORDER_UNREADABLE' ? unreadable : refused;
      list.push([message, eventId, awsCode, reason].filter((word) => word !== undefined).join(' '));
    },
  };
}
