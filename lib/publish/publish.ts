/** From a batch of the table's stream to the bus and the archive: in order, at least once. */
import type { DynamoDBBatchResponse, DynamoDBRecord } from 'aws-lambda';
import { describeError, type Log } from '../runtime/log.ts';
import { MAX_OPERATION_MS, type TableConnection } from '../table/client.ts';
import { putNotification } from '../table/notifications.ts';
import { type EventsClient, MAX_CALL_MS, putEvents } from './client.ts';
import { cutIntoCalls, entryOf } from './entry.ts';
import { countFact } from './money.ts';
import { readRecord, type Task } from './record.ts';

export interface PublishContext {
  readonly table: TableConnection;
  readonly events: EventsClient;
  readonly eventBusName: string;
  readonly notificationRetentionDays: number;
  readonly log: Log;
  readonly remainingMs: () => number;
}

/** The longest that one call takes with the archive's rows before it, and a second to say so. */
const MAX_STEP_MS = MAX_OPERATION_MS + MAX_CALL_MS + 1_000;

/**
 * Publishes what the records tell that is new. The first record that is not wholly done is given
 * back, and by that, as Lambda counts, all that come after it: they come again, and what of them was
 * done already is done twice. A record that cannot be read is reported and holds nobody up.
 */
export async function publishRecords(
  records: readonly DynamoDBRecord[],
  context: PublishContext,
): Promise<DynamoDBBatchResponse> {
  const tasks = records.flatMap((record) => tasksOf(record, context));
  let done = 0;
  for (const step of cutIntoCalls(tasks)) {
    const count = await doStep(step, context);
    done += count;
    if (count < step.length) {
      break;
    }
  }
  const givenBack = tasks[done];
  context.log[givenBack ? 'warn' : 'info'](givenBack ? 'published in part' : 'published', {
    records: records.length,
    done,
    givenBack: tasks.length - done,
  });
  return {
    batchItemFailures: givenBack ? [{ itemIdentifier: givenBack.sequenceNumber }] : [],
  };
}

function tasksOf(record: DynamoDBRecord, context: PublishContext): readonly Task[] {
  const { tasks, unreadable } = readRecord(record, context.notificationRetentionDays);
  for (const error of unreadable) {
    context.log.error('a row tells what cannot be read; it is passed over', describeError(error));
    context.log.count('EventUnreadable');
  }
  return tasks;
}

/**
 * How many of the tasks are done, from the first on. The archive's rows go first: a row that is put
 * twice is the same row, an event that is sent twice is two.
 */
async function doStep(step: readonly Task[], context: PublishContext): Promise<number> {
  if (context.remainingMs() < MAX_STEP_MS) {
    context.log.warn('no time is left for the rest of the batch');
    return 0;
  }
  const archived = await archive(step, context);
  return sendEvents(step.slice(0, archived), context);
}

async function archive(step: readonly Task[], { table, log }: PublishContext): Promise<number> {
  const results = await Promise.allSettled(
    step.map(async ({ archived }) => archived && putNotification(table, archived)),
  );
  const failed = results.findIndex(({ status }) => status === 'rejected');
  const result = results[failed];
  if (result?.status === 'rejected') {
    log.error('a notification cannot be put into the archive', describeError(result.reason));
    return failed;
  }
  return step.length;
}

async function sendEvents(step: readonly Task[], context: PublishContext): Promise<number> {
  const positions = step.flatMap(({ event }, index) => (event ? [{ event, index }] : []));
  const sent = await trySend(
    positions.map(({ event }) => event),
    context,
  );
  for (const { event } of positions.slice(0, sent)) {
    countFact(context.log, event);
  }
  return positions[sent]?.index ?? step.length;
}

/** How many of the events the bus has, from the first on. */
async function trySend(
  made: readonly NonNullable<Task['event']>[],
  { events, eventBusName, log }: PublishContext,
): Promise<number> {
  if (made.length === 0) {
    return 0;
  }
  try {
    const refused = await putEvents(
      events,
      made.map((event) => entryOf(event, eventBusName)),
    );
    if (!refused) {
      return made.length;
    }
    const eventId = made[refused.index]?.eventId;
    log.error('EventBridge refuses an event', { eventId, awsCode: refused.code });
    return refused.index;
  } catch (error) {
    log.error('EventBridge cannot be reached or refuses the call', describeError(error));
    return 0;
  }
}
