/** A DynamoDB for the laptop: the embedded engine `dynoxide`, or the one at `DYNAMODB_ENDPOINT`. */
import { setTimeout as delay } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { TABLE_DEFINITION } from '../../lib/table/schema.ts';
import { findFreePort } from '../http-server.ts';
import {
  endLeftover,
  startSupervised,
  type SupervisedProcess,
} from '../process/supervised-process.ts';
import { findEngine } from './engine.ts';
import { assertDynamoDb, assertEndpoint } from './external-dynamodb.ts';
import { openStreamRecords, type StreamRecords } from './stream-records.ts';
import { assertSameTable } from './table-check.ts';

const START_TIMEOUT_MS = 15_000;
const PORT_ATTEMPTS = 3;
/** The number too, because Windows says it in the user's language. */
const PORT_TAKEN = /already in use|os error (?:98|48|10048)\b/;

export interface LocalDynamoDb {
  readonly endpoint: string;
  /** Rejects when the engine ends by itself; never settles while it runs or after `stop()`. */
  readonly died: Promise<never>;
  /**
   * Takes away the oldest records of the table's stream up to `upTo`, a sequence number that everybody
   * who reads the stream is done with. A few hundred at a time; answers how many, 0 also while the
   * engine writes. Only the embedded engine with a file needs it: any other answers 0.
   */
  trimStream(tableName: string, upTo: string): number;
  /**
   * Whether the table's stream goes as far as this sequence number: it does not when the table's file
   * was replaced by an earlier copy. Told of the embedded engine with a file; true of any other.
   */
  hasStreamReached(tableName: string, sequenceNumber: string): boolean;
  stop(): Promise<void>;
}

/**
 * Starts the engine and waits until it answers. Without `dbPath` the tables live in memory, for a
 * few thousand writes to one with a stream; with it a leftover engine of a killed stack on the same
 * file is ended first, and the stream's records are indexed. The engine ends with this
 * process, even after `kill -9`.
 *
 * @throws {Error} saying why it did not start, and what to do where no engine is installed.
 */
export async function startDynamoDb(
  options: { dbPath?: string; port?: number; startTimeoutMs?: number } = {},
): Promise<LocalDynamoDb> {
  const external = process.env.DYNAMODB_ENDPOINT;
  if (external !== undefined && external !== '') {
    return useExternal(external);
  }
  const engine = findEngine();
  const pidFile = options.dbPath === undefined ? '' : `${options.dbPath}.pid`;
  if (pidFile !== '' && options.dbPath !== undefined) {
    await endLeftover(pidFile, options.dbPath);
  }

  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await findFreePort());
    const args = ['--host', '127.0.0.1', '--port', String(port)];
    if (options.dbPath !== undefined) {
      args.push('--db-path', options.dbPath);
    }
    const running = startSupervised(engine, args, { pidFile });
    const endpoint = `http://127.0.0.1:${port}`;
    const timeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
    const failure = await waitUntilReady(endpoint, running, timeoutMs);
    if (failure === undefined) {
      return watch(endpoint, running, await openStream(running, options.dbPath));
    }
    await running.stop();
    const lostTheRace = options.port === undefined && PORT_TAKEN.test(failure);
    if (!lostTheRace || attempt === PORT_ATTEMPTS) {
      throw new Error(
        `the DynamoDB engine did not start: ${failure}${adviseOn(failure, options.dbPath)}`,
      );
    }
  }
}

/** Before anybody writes. Nothing for tables in memory: no other process reaches them. */
async function openStream(
  running: SupervisedProcess,
  dbPath: string | undefined,
): Promise<StreamRecords | undefined> {
  try {
    return dbPath === undefined ? undefined : openStreamRecords(dbPath);
  } catch (error) {
    await running.stop();
    const reason = (error as Error).message;
    throw new Error(
      `the stream's records in ${dbPath} cannot be indexed: ${reason}${adviseOn(reason, dbPath)}`,
      { cause: error },
    );
  }
}

/** A file of the table that is broken is the developer's to mend; the engine names no file. */
function adviseOn(failure: string, dbPath: string | undefined): string {
  return dbPath !== undefined && /SQLite|malformed|corrupt|not a database/i.test(failure)
    ? `\n${dbPath} cannot be read: put a copy back, or begin anew with npm start -- --fresh, which forgets its orders`
    : '';
}

/** Creates the table of `lib/table/schema.ts`; a table that is already there must have its keys and indexes. */
export async function createTable(endpoint: string, tableName: string): Promise<void> {
  const client = createLocalClient(endpoint);
  try {
    await client.send(new CreateTableCommand({ TableName: tableName, ...TABLE_DEFINITION }));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceInUseException') {
      throw error;
    }
    await assertSameTable(client, tableName);
  } finally {
    client.destroy();
  }
}

/** A client for the local engine: it checks no credentials, but the SDK wants some. */
export function createLocalClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    // As the functions have it, whatever the developer's shell says: DynamoDB Local keeps regions apart.
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

async function useExternal(endpoint: string): Promise<LocalDynamoDb> {
  assertEndpoint(endpoint);
  const client = createLocalClient(endpoint);
  try {
    await assertDynamoDb(client, endpoint);
  } finally {
    client.destroy();
  }
  return {
    endpoint,
    died: new Promise<never>(() => {}),
    trimStream: () => 0,
    hasStreamReached: () => true,
    stop: async () => {},
  };
}

function watch(
  endpoint: string,
  running: SupervisedProcess,
  stream: StreamRecords | undefined,
): LocalDynamoDb {
  let stopping = false;
  const died = new Promise<never>((_resolve, reject) => {
    void running.exited.then((code) => {
      if (stopping) {
        return;
      }
      reject(new Error(`the DynamoDB engine ended by itself (exit ${code}): ${running.output()}`));
    });
  });
  // Whoever does not watch must not be ended by an unhandled rejection.
  died.catch(() => {});
  const stop = async () => {
    if (!stopping) {
      stream?.close();
    }
    stopping = true;
    await running.stop();
  };
  const trimStream: LocalDynamoDb['trimStream'] = (tableName, upTo) =>
    stopping ? 0 : (stream?.trim(tableName, upTo) ?? 0);
  const hasStreamReached: LocalDynamoDb['hasStreamReached'] = (tableName, sequenceNumber) =>
    stream?.hasReached(tableName, sequenceNumber) ?? true;
  return { endpoint, died, trimStream, hasStreamReached, stop };
}

/** Undefined once the engine answers, else what went wrong. */
async function waitUntilReady(
  endpoint: string,
  running: SupervisedProcess,
  timeoutMs: number,
): Promise<string | undefined> {
  let exitCode: number | undefined;
  void running.exited.then((code) => {
    exitCode = code;
  });
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (exitCode !== undefined) {
      return `exit ${exitCode}: ${running.output()}`;
    }
    const listens = running.output().includes('listening');
    if (listens && (await probe(endpoint)) === 'answers') {
      return undefined;
    }
    await delay(20);
  }
  return `no answer within ${timeoutMs / 1000} s: ${running.output()}`;
}

async function probe(endpoint: string): Promise<'answers' | 'silent'> {
  try {
    await fetch(endpoint, { signal: AbortSignal.timeout(1000) });
    return 'answers';
  } catch {
    return 'silent';
  }
}
