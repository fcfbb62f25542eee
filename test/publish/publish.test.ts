/** A batch of the stream: what reaches the bus and the archive, and what is given back. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { DynamoDBRecord } from 'aws-lambda';
import { publishRecords, type PublishContext } from '../../lib/publish/publish.ts';
import { MAX_CALL_MS } from '../../lib/publish/client.ts';
import type { Item } from '../../lib/table/attributes.ts';
import { MAX_OPERATION_MS } from '../../lib/table/client.ts';
import { detailOf, type RecordingBus, recordingBus } from '../support/event-bus.ts';
import {
  AT,
  attributes,
  factOf,
  notificationOf,
  openOrderRow,
  paidOrderRow,
  refundRow,
  streamRecord,
  TRANSACTION_ID,
  unknownPaymentRow,
  withFacts,
} from '../support/fact-rows.ts';
import { type RecordingLog, recordingLog } from '../support/recording-log.ts';
import { type Operation, watchTable, type WatchedTable } from '../support/watched-table.ts';

let log: RecordingLog;
let bus: RecordingBus;
let table: WatchedTable;
let rows: Item[];

const tableThat = (answer: (operation: Operation) => Promise<unknown>) =>
  watchTable({ tableName: 'orders' }, answer);

beforeEach(() => {
  log = recordingLog();
  bus = recordingBus();
  rows = [];
  table = tableThat(async ({ input }) => {
    rows.push(input['Item'] as Item);
    return {};
  });
});

const publish = (records: readonly DynamoDBRecord[], changes: Partial<PublishContext> = {}) =>
  publishRecords(records, {
    table,
    events: bus,
    eventBusName: 'bus',
    notificationRetentionDays: 90,
    log,
    remainingMs: () => 60_000,
    ...changes,
  });

const numberOf = (index: number) => `order-${String(index).padStart(4, '0')}`;

/** The payment of the n-th order, as the n-th record of its shard. */
const payment = (index: number, changes: Item = {}) =>
  streamRecord(
    paidOrderRow({ PK: { S: `ORDER#${numberOf(index)}` }, ...changes }),
    openOrderRow(),
    String(index),
  );
const payments = (count: number) => Array.from({ length: count }, (_, index) => payment(index + 1));
const idsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => `${numberOf(index + 1)}.1`);

const nothingBack = { batchItemFailures: [] };
const backFrom = (sequenceNumber: number) => ({
  batchItemFailures: [{ itemIdentifier: String(sequenceNumber) }],
});

describe('a batch', () => {
  test('puts each new fact on the bus, with its own time', async () => {
    expect(await publish([payment(1)])).toEqual(nothingBack);

    expect(bus.accepted).toEqual([
      {
        EventBusName: 'bus',
        Source: 'wechatpay-serverless',
        DetailType: 'Order Paid',
        Time: new Date(AT),
        Detail: expect.any(String),
      },
    ]);
    expect(detailOf(bus.accepted[0])).toMatchObject({
      eventId: 'order-0001.1',
      transactionId: TRANSACTION_ID,
    });
    expect(log.lines).toEqual([
      { level: 'info', message: 'published', fields: { records: 1, done: 1, givenBack: 0 } },
    ]);
  });

  test('goes out in order, ten to a call', async () => {
    expect(await publish(payments(25))).toEqual(nothingBack);

    expect(bus.calls).toEqual([10, 10, 5]);
    expect(bus.eventIds()).toEqual(idsOf(25));
  });

  test('is cut where a call would be too large', async () => {
    const description = { S: '拿'.repeat(30_000) };
    const records = Array.from({ length: 5 }, (_, index) => payment(index + 1, { description }));

    expect(await publish(records)).toEqual(nothingBack);
    // 90 kB each: two fit in 256 KB.
    expect(bus.calls).toEqual([2, 2, 1]);
    expect(bus.eventIds()).toEqual(idsOf(5));
  });

  test('without records, or with rows that tell nothing, sends nothing', async () => {
    expect(await publish([])).toEqual(nothingBack);
    expect(
      await publish([
        streamRecord(openOrderRow(), openOrderRow()),
        streamRecord(paidOrderRow(), paidOrderRow()),
        streamRecord(undefined, paidOrderRow()),
        { eventName: 'MODIFY' },
      ]),
    ).toEqual(nothingBack);

    expect(bus.calls).toEqual([]);
    expect(table.operations).toEqual([]);
  });

  test('whose records come again sends the same bytes again', async () => {
    await publish(payments(3));
    await publish(payments(3));

    expect(bus.accepted.slice(3)).toEqual(bus.accepted.slice(0, 3));
  });

  test('whose records do not show the row before tells all facts of the row', async () => {
    const row = withFacts(openOrderRow(), factOf('CLOSED'), factOf('CLOSED'));

    await publish([streamRecord(row)]);
    expect(bus.eventIds()).toEqual(['order-0001.1', 'order-0001.2']);
  });

  test('with a row of more facts than a call takes sends them all', async () => {
    const row = withFacts(openOrderRow(), ...Array.from({ length: 23 }, () => factOf('CLOSED')));

    expect(await publish([streamRecord(row)])).toEqual(nothingBack);
    expect(bus.calls).toEqual([10, 10, 3]);
  });
});

describe('EventBridge', () => {
  test('that refuses entries gets the first refused one and all after it again', async () => {
    bus = recordingBus(
      (_, call): Record<number, string> =>
        call === 2 ? { 3: 'ThrottlingException', 5: 'InternalFailure' } : {},
    );

    expect(await publish(payments(25))).toEqual(backFrom(14));
    // Nothing is sent after a refusal.
    expect(bus.calls).toEqual([10, 10]);
    expect(log.lines).toEqual([
      {
        level: 'error',
        message: 'EventBridge refuses an event',
        fields: { eventId: 'order-0014.1', awsCode: 'ThrottlingException' },
      },
      {
        level: 'warn',
        message: 'published in part',
        fields: { records: 25, done: 13, givenBack: 12 },
      },
    ]);
  });

  test('that counts refusals and names none has taken nothing for sure', async () => {
    const events = {
      send: async () => ({ FailedEntryCount: 1 }),
    } as unknown as PublishContext['events'];

    expect(await publish(payments(3), { events })).toEqual(backFrom(1));
    expect(log.lines[0]?.fields).toEqual({ eventId: 'order-0001.1', awsCode: 'unknown' });
  });

  test.each([
    ['throttles', 'ThrottlingException'],
    ['has a fault', 'InternalException'],
    ['does not answer', 'TimeoutError'],
    ['is not allowed to us', 'AccessDeniedException'],
    ['has no such bus', 'ResourceNotFoundException'],
  ])('that %s gets everything again from there, and the batch does not fail', async (_, name) => {
    bus = recordingBus((_entries, call) => {
      if (call === 2) {
        throw Object.assign(new Error('no'), { name });
      }
      return {};
    });

    expect(await publish(payments(12))).toEqual(backFrom(11));
    expect(bus.eventIds()).toEqual(idsOf(10));
    expect(log.lines[0]).toMatchObject({ level: 'error', fields: { error: name } });
  });

  test('that is away for all of it gets all of it again, and then has each once', async () => {
    const events = { send: () => Promise.reject(new Error('connect ECONNREFUSED')) };

    expect(await publish(payments(3), { events })).toEqual(backFrom(1));
    expect(await publish(payments(3))).toEqual(nothingBack);
    expect(bus.eventIds()).toEqual(idsOf(3));
  });
});

describe('time that runs out', () => {
  test('before anything is done gives everything back', async () => {
    expect(
      await publish(payments(3), { remainingMs: () => MAX_OPERATION_MS + MAX_CALL_MS + 999 }),
    ).toEqual(backFrom(1));
    expect(bus.calls).toEqual([]);
    expect(log.messages('warn')).toEqual([
      'no time is left for the rest of the batch',
      'published in part',
    ]);
  });

  test('in between gives back what was not begun', async () => {
    const left = [50_000, 30_000, 10_000];

    expect(await publish(payments(30), { remainingMs: () => left.shift() ?? 0 })).toEqual(
      backFrom(21),
    );
    expect(bus.eventIds()).toEqual(idsOf(20));
  });
});

describe('a row that cannot be read', () => {
  const damaged = (sequenceNumber: string) =>
    streamRecord(
      withFacts(openOrderRow({ totalFen: { S: 'many' } }), factOf('CLOSED')),
      undefined,
      sequenceNumber,
    );

  test('is reported and counted, and blocks nobody', async () => {
    expect(await publish([payment(1), damaged('2'), payment(3)])).toEqual(nothingBack);

    expect(bus.eventIds()).toEqual(['order-0001.1', 'order-0003.1']);
    expect(log.counts).toEqual({ EventUnreadable: 1 });
    expect(log.lines[0]).toMatchObject({
      level: 'error',
      message: 'a row tells what cannot be read; it is passed over',
      fields: { row: 'ORDER#order-0001 ORDER', attribute: 'totalFen' },
    });
  });

  test('is not reported as given back when it is the last', async () => {
    expect(await publish([damaged('1')])).toEqual(nothingBack);
  });

  test('does not keep what is before and after it from being given back', async () => {
    bus = recordingBus(() => ({ 1: 'InternalFailure' }));

    expect(await publish([payment(1), damaged('2'), payment(3)])).toEqual(backFrom(3));
  });

  test('because its event is larger than a call takes is one, too', async () => {
    const description = { S: 'x'.repeat(256 * 1024) };

    expect(await publish([payment(1, { description }), payment(2)])).toEqual(nothingBack);
    expect(bus.eventIds()).toEqual(['order-0002.1']);
    expect(log.counts).toEqual({ EventUnreadable: 1 });
    expect(log.lines[0]?.fields).toMatchObject({ row: 'order-0001.1', attribute: 'facts' });
  });

  test('says nothing of its content', async () => {
    await publish([damaged('1')]);

    expect(JSON.stringify(log.lines)).not.toMatch(/many|oUpF8/);
  });
});

describe('the archive', () => {
  const notified = (id: string, sequenceNumber = '1') =>
    streamRecord(
      paidOrderRow({ notification: notificationOf(id) }),
      openOrderRow({ notification: notificationOf('earlier') }),
      sequenceNumber,
    );

  test('gets what WeChat sent, before the event goes out', async () => {
    let sentBefore = -1;
    table = tableThat(async () => {
      sentBefore = bus.calls.length;
      return {};
    });

    expect(await publish([notified('notice-1')])).toEqual(nothingBack);
    expect(table.operations).toEqual(['PutItem']);
    expect(sentBefore).toBe(0);
    expect(bus.calls).toEqual([1]);
  });

  test('gets it also where there is nothing to tell', async () => {
    const before = paidOrderRow({ notification: notificationOf('notice-1') });
    const row = { ...before, notification: notificationOf('notice-2') };

    expect(await publish([streamRecord(row, before)])).toEqual(nothingBack);
    expect(rows.map(({ SK }) => SK?.S)).toEqual(['NOTIFICATION#2026-03-01T02:00:05.123Z#notice-2']);
    expect(bus.calls).toEqual([]);
  });

  test('that cannot be written has its record and all after it given back, their events unsent', async () => {
    table = tableThat(async () => {
      throw Object.assign(new Error('no'), { name: 'ProvisionedThroughputExceededException' });
    });

    expect(await publish([payment(1), notified('notice-1', '2'), payment(3)])).toEqual(backFrom(2));
    expect(bus.eventIds()).toEqual(['order-0001.1']);
    expect(log.lines[0]).toMatchObject({
      level: 'error',
      message: 'a notification cannot be put into the archive',
      fields: { error: 'ProvisionedThroughputExceededException' },
    });
  });

  test('that cannot read it is passed over, and the event goes out', async () => {
    const row = paidOrderRow({ notification: { M: attributes({ id: 'notice-1' }) } });

    expect(await publish([streamRecord(row, openOrderRow())])).toEqual(nothingBack);
    expect(bus.eventIds()).toEqual(['order-0001.1']);
    expect(log.counts).toEqual({ EventUnreadable: 1 });
  });
});

describe('the alarms about money', () => {
  const late = attributes({ tradeState: 'SUCCESS', paymentAfterClose: 'keep' });
  const PAID = attributes({ transactionId: TRANSACTION_ID, paidAt: AT });
  const wrong = attributes({
    digest: 'd',
    field: 'totalFen',
    expected: '2800',
    observed: '1',
    transactionId: 'x',
    totalFen: 1,
    outRefundNo: 'r',
    refundFen: 1,
  });
  const differenceRow = (kind: string) =>
    withFacts(
      attributes({ PK: 'BILL#2026-11-24', SK: `DIFFERENCE#${kind}#payment#42`, outTradeNo: 'a' }),
      factOf('DIFFERENCE', attributes({ kind })),
    );

  test.each<[string, Item, object]>([
    ['a payment', paidOrderRow(), {}],
    ['a close', withFacts(openOrderRow(), factOf('CLOSED')), {}],
    [
      'a payment after a close',
      withFacts(openOrderRow(PAID), factOf('PAID_AFTER_CLOSE', late)),
      { PaymentAfterClose: 1 },
    ],
    [
      'a payment that contradicts its order',
      withFacts(openOrderRow(), factOf('MISMATCH', wrong)),
      { TransactionMismatch: 1 },
    ],
    ['a payment of no order', unknownPaymentRow(), { UnknownOrderNotified: 1 }],
    [
      'a refund above the payment',
      withFacts(openOrderRow(), factOf('REFUND_MISMATCH', wrong)),
      { RefundMismatch: 1 },
    ],
    [
      'a refund that contradicts ours',
      withFacts(refundRow(), factOf('MISMATCH', wrong)),
      { RefundMismatch: 1 },
    ],
    ['a difference with the bill', differenceRow('MISSING_HERE'), { BillDifference: 1 }],
    ['a wrong fee in the bill', differenceRow('FEE_DIFFERS'), {}],
    [
      'a refund that cannot reach the buyer',
      withFacts(refundRow(), factOf('ABNORMAL', attributes({ round: 1 }))),
      { RefundAbnormal: 1 },
    ],
    ['a refund that WeChat closed', withFacts(refundRow(), factOf('CLOSED')), {}],
    [
      'a refund from request to end',
      withFacts(refundRow(), factOf('REQUESTED'), factOf('SUCCEEDED')),
      {},
    ],
  ])('are rung by facts: %s', async (_, row, counts) => {
    await publish([streamRecord(row)]);

    expect(log.counts).toEqual(counts);
    expect(log.messages('error')).toEqual(
      Object.keys(counts).map(() => 'a person must look into this'),
    );
  });

  test('are rung for what is published, and again when it comes again', async () => {
    bus = recordingBus((_, call): Record<number, string> => (call === 1 ? { 1: 'Internal' } : {}));
    const records = [
      streamRecord(unknownPaymentRow(), undefined, '1'),
      streamRecord(withFacts(openOrderRow(), factOf('MISMATCH', wrong)), undefined, '2'),
    ];

    expect(await publish(records)).toEqual(backFrom(2));
    expect(log.counts).toEqual({ UnknownOrderNotified: 1 });
    expect(await publish(records.slice(1))).toEqual(nothingBack);
    expect(log.counts).toEqual({ UnknownOrderNotified: 1, TransactionMismatch: 1 });
  });
});

test('a row that DynamoDB deletes, because its days are over, tells nothing', async () => {
  const { dynamodb, ...record } = payment(1);
  const { NewImage, ...rest } = dynamodb ?? {};
  const gone = {
    ...record,
    eventName: 'REMOVE',
    userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    dynamodb: { ...rest, ...(NewImage && { OldImage: NewImage }) },
  } as DynamoDBRecord;

  expect(await publish([gone])).toEqual(nothingBack);
  expect(bus.calls).toEqual([]);
  expect(log.counts).toEqual({});
});
