/**
 * `npm run bench -- stream [--payments 60000]`: what the table's stream costs in the embedded engine,
 * by the writes of so many payments, in turns on tables that differ in their stream only.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { createTable, type LocalDynamoDb, startDynamoDb } from '../local/aws/dynamodb.ts';

const TABLE = 'orders';
const ROUNDS = 5;
const BUYERS_AT_ONCE = 8;
const WRITES = 4;
const PER_TURN = 20;
/** As often as the local stack reads the stream. */
const READ_PAUSE_MS = 250;
const READS_PER_TRIM = 4;
/** Without an index each write takes longer than the last: more than this takes hours. */
const UNINDEXED_PAYMENTS = 1500;

const VARIANTS = ['no stream', 'no index', 'index', 'index and trim'] as const;
type Variant = (typeof VARIANTS)[number];

interface Subject {
  readonly variant: Variant;
  readonly engine: LocalDynamoDb;
  readonly pidFile: string;
  readonly call: Call;
  readonly stopReading: () => Promise<void>;
  payments: number;
}

interface Cost {
  readonly wallMs: number;
  /** Of the engine's process; NaN where the system does not tell it. */
  readonly cpuMs: number;
}

type Call = (operation: string, input: object) => Promise<unknown>;

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { payments: { type: 'string', default: '1000' } },
});
const perRound = Math.ceil(Number(values.payments) / ROUNDS);
const directory = mkdtempSync(path.join(tmpdir(), 'bench-stream-'));
const subjects: Subject[] = [];
try {
  for (const variant of VARIANTS) {
    subjects.push(await open(variant));
  }
  console.log(`per write, after so many payments of ${WRITES} writes: wall (engine's CPU)`);
  for (let round = 1; round <= ROUNDS; round += 1) {
    await runRound();
  }
} finally {
  for (const { engine, stopReading } of subjects) {
    await stopReading();
    await engine.stop();
  }
  rmSync(directory, { recursive: true });
}

/** In short turns, so that what else the machine does falls on all of them. */
async function runRound(): Promise<void> {
  const costs = new Map<Subject, Cost[]>(subjects.map((subject) => [subject, []]));
  for (let paid = 0; paid < perRound; paid += PER_TURN) {
    for (const [subject, turns] of costs) {
      if (subject.variant !== 'no index' || subject.payments < UNINDEXED_PAYMENTS) {
        turns.push(await pay(subject));
      }
    }
  }
  const cells: string[] = [];
  let base: Cost | undefined;
  for (const [{ variant }, turns] of costs) {
    if (turns.length === 0) {
      continue;
    }
    const cost = { wallMs: median(turns, 'wallMs'), cpuMs: mean(turns, 'cpuMs') };
    base ??= cost;
    const rates = [base.wallMs / cost.wallMs, base.cpuMs / cost.cpuMs].map((one) => one.toFixed(2));
    cells.push(
      `${variant} ${cost.wallMs.toFixed(2)} ms (${cost.cpuMs.toFixed(2)}), rate ${rates[0]} (${rates[1]})`,
    );
  }
  console.log(`${subjects[0]?.payments}: ${cells.join(' | ')}`);
}

function median(turns: readonly Cost[], of: keyof Cost): number {
  const sorted = turns.map((cost) => cost[of]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function mean(turns: readonly Cost[], of: keyof Cost): number {
  return turns.reduce((sum, cost) => sum + cost[of], 0) / turns.length;
}

async function open(variant: Variant): Promise<Subject> {
  const dbPath = path.join(directory, `${variant}.sqlite`);
  const engine = await startDynamoDb({ dbPath });
  await createTable(engine.endpoint, TABLE);
  const call = connect(engine.endpoint);
  if (variant === 'no stream') {
    await call('DynamoDB_20120810.UpdateTable', {
      TableName: TABLE,
      StreamSpecification: { StreamEnabled: false },
    });
  }
  if (variant === 'no index') {
    const database = new DatabaseSync(dbPath);
    database.exec('DROP INDEX wechatpay_stream_position');
    database.close();
  }
  const reader = variant === 'no stream' ? undefined : readStream(engine, call, variant);
  return {
    variant,
    engine,
    call,
    pidFile: `${dbPath}.pid`,
    stopReading: reader ?? (async () => {}),
    payments: 0,
  };
}

/** Reads the stream as it grows, and lets go of what was read where that is to be compared. */
function readStream(engine: LocalDynamoDb, call: Call, variant: Variant): () => Promise<void> {
  let isOpen = true;
  const read = async () => {
    let position = 0;
    let reads = 0;
    while (isOpen) {
      const shard = { table_name: TABLE, shard_id: `shardId-00000001-${TABLE}`, position };
      const ShardIterator = Buffer.from(JSON.stringify(shard)).toString('base64');
      const { Records } = (await call('DynamoDBStreams_20120810.GetRecords', {
        ShardIterator,
      })) as { Records: { dynamodb: { SequenceNumber: string } }[] };
      position = Number(Records.at(-1)?.dynamodb.SequenceNumber ?? position);
      reads += 1;
      if (variant === 'index and trim' && reads % READS_PER_TRIM === 0) {
        engine.trimStream(TABLE, String(position));
      }
      await new Promise((resolve) => {
        setTimeout(resolve, READ_PAUSE_MS);
      });
    }
  };
  const reading = read();
  return async () => {
    isOpen = false;
    await reading;
  };
}

async function pay(subject: Subject): Promise<Cost> {
  const end = subject.payments + PER_TURN;
  const cpuBefore = readCpuMs(subject);
  const startedAt = performance.now();
  const buyer = async () => {
    while (subject.payments < end) {
      subject.payments += 1;
      await payOnce(subject.call, subject.payments);
    }
  };
  await Promise.all(Array.from({ length: BUYERS_AT_ONCE }, buyer));
  const writes = PER_TURN * WRITES;
  return {
    wallMs: (performance.now() - startedAt) / writes,
    cpuMs: (readCpuMs(subject) - cpuBefore) / writes,
  };
}

/** The order, its turn at WeChat, the prepay id, the payment: with the keys and the size of real rows. */
async function payOnce(call: Call, number: number): Promise<void> {
  const id = String(number).padStart(32, '0');
  const shard = number % 16;
  const Key = { PK: { S: `ORDER#${id}` }, SK: { S: 'ORDER' } };
  const update = (UpdateExpression: string, texts: Record<string, string>) =>
    call('DynamoDB_20120810.UpdateItem', {
      TableName: TABLE,
      Key,
      UpdateExpression,
      ExpressionAttributeValues: Object.fromEntries(
        Object.entries(texts).map(([name, S]) => [name, { S }]),
      ),
    });
  await call('DynamoDB_20120810.PutItem', {
    TableName: TABLE,
    ConditionExpression: 'attribute_not_exists(PK)',
    Item: {
      ...Key,
      GSI1PK: { S: `OPEN#${shard}` },
      GSI1SK: { S: id },
      GSI2PK: { S: `BUYER#${number % 500}` },
      GSI2SK: { S: id },
      prepayRequest: { S: 'x'.repeat(900) },
    },
  });
  await update('SET turnUntil = :until', { ':until': id });
  await update('SET prepayId = :prepay, GSI1SK = :due', { ':prepay': `wx${id}`, ':due': `1${id}` });
  await update('SET tradeState = :paid, GSI3PK = :day, GSI3SK = :at REMOVE GSI1PK, GSI1SK', {
    ':paid': 'SUCCESS',
    ':day': `PAID#${shard}`,
    ':at': id,
  });
}

/** Without the SDK, which costs more than the engine. */
function connect(endpoint: string): Call {
  const agent = new http.Agent({ keepAlive: true });
  return (operation, input) =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': operation,
        'x-amz-date': '20260101T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      };
      const request = http.request(endpoint, { method: 'POST', agent, headers }, (answer) => {
        text(answer).then((content) => {
          if (answer.statusCode === 200) {
            resolve(JSON.parse(content));
          } else {
            reject(new Error(`${operation}: ${content}`));
          }
        }, reject);
      });
      request.on('error', reject);
      request.end(JSON.stringify(input));
    });
}

/** Linux counts in hundredths of a second. */
function readCpuMs({ pidFile }: Subject): number {
  if (process.platform !== 'linux') {
    return Number.NaN;
  }
  const stat = readFileSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}/stat`, 'utf8');
  const [, fields = ''] = stat.split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) * 10;
}
