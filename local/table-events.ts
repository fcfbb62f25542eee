/** Connects the table's stream with the functions that the template hangs on it. */
import { type EventSource, startEventSource } from './aws/event-source/event-source.ts';
import { countFailedRecords } from './aws/event-source/failed-records.ts';
import { openTableStream } from './aws/event-source/table-stream.ts';
import { watchWrites } from './aws/event-source/write-watch.ts';
import type { LocalDynamoDb } from './aws/dynamodb.ts';
import type { LocalFunction } from './aws/lambda.ts';
import type { Template } from './aws/template.ts';
import type { DataDir } from './data/data-dir.ts';
import { wallClockMs } from './record/wall-clock.ts';

export interface TableEventsOptions {
  readonly template: Template;
  readonly functions: ReadonlyMap<string, LocalFunction>;
  readonly dynamoDb: Pick<LocalDynamoDb, 'endpoint' | 'trimStream' | 'hasStreamReached'>;
  readonly tableName: string;
  readonly files: Pick<DataDir['files'], 'streamPosition' | 'failedRecords'>;
  /** Takes the lines meant for a terminal. */
  readonly print: (line: string) => void;
}

/** Undefined when no function is on the stream. `undo` gets the way to end it. */
export async function startTableEvents(
  options: TableEventsOptions,
  undo: (() => unknown)[],
): Promise<EventSource | undefined> {
  const { template, functions, dynamoDb, files, print } = options;
  if (template.eventSources.length === 0) {
    return undefined;
  }
  const failed = countFailedRecords(files.failedRecords);
  if (failed > 0) {
    print(
      `WARN   stream  ${failed} records failed for good in earlier runs: ${files.failedRecords}`,
    );
  }
  const eventSource = await startEventSource({
    source: await openTableStream(dynamoDb.endpoint, options.tableName, dynamoDb),
    mappings: template.eventSources,
    functions,
    checkpointFile: files.streamPosition,
    failedRecordsFile: files.failedRecords,
    // The machine's own clock, as the engine's: moving the stack's makes no record too old.
    nowMs: wallClockMs,
    onFailure: (message) => print(`ERROR  stream  ${message}`),
  });
  undo.push(
    () => eventSource.stop(),
    watchWrites(dynamoDb.endpoint, () => eventSource.wake()),
  );
  return eventSource;
}
