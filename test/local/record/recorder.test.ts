import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createLocalClient,
  createTable,
  type LocalDynamoDb,
  startDynamoDb,
} from '../../../local/aws/dynamodb.ts';
import { startEventBridge } from '../../../local/aws/event-bridge/event-bridge.ts';
import type { LocalFunction } from '../../../local/aws/lambda.ts';
import { openOrderReader } from '../../../local/record/order-record.ts';
import { createRecorder } from '../../../local/record/recorder.ts';
import { recordRequests } from '../../../local/record/request-recorder.ts';

const definition = {
  name: 'prepay',
  exportName: 'handler',
  timeoutMs: 5000,
  memoryMb: 512,
  routes: [],
  schedules: [],
};

const httpEvent = (path: string, body: string, isBase64Encoded = false) => ({
  requestContext: { http: { method: 'POST', path } },
  headers: { authorization: 'Bearer very.secret.token', 'content-type': 'application/json' },
  body,
  isBase64Encoded,
});

/** One function that does this when it is called. */
function watchOne(invoke: LocalFunction['invoke']) {
  const recorder = createRecorder();
  const watched = recorder.watch(new Map([['prepay', { definition, invoke }]])).get('prepay');
  if (watched === undefined) {
    throw new Error('the function is gone');
  }
  return { recorder, call: (event: unknown) => watched.invoke(event) };
}

describe('the recorder', () => {
  it('keeps what a function got, answered and logged, without tokens', async () => {
    const body = '{"token":"very.secret.token","expiresIn":7200}';
    const { recorder, call } = watchOne(() => {
      recorder.addLogLine('{"level":"INFO","message":"logged in"}');
      recorder.addLogLine('{"_aws":{},"OrderPaid":1}');
      recorder.addLogLine('plain text');
      return Promise.resolve({ ok: true, result: { statusCode: 200, headers: {}, body } });
    });
    await call(httpEvent('/login', '{"code":"abc"}'));
    const [message] = recorder.list();

    expect(message).toMatchObject({
      from: 'mini-program',
      to: 'api',
      functionName: 'prepay',
      method: 'POST',
      path: '/login',
      request: { headers: { authorization: 'Bearer ***' }, body: '{"code":"abc"}' },
      response: { status: 200, body: '{"token":"***","expiresIn":7200}' },
      log: [{ level: 'INFO', message: 'logged in' }],
    });
    expect(JSON.stringify(recorder.list())).not.toContain('very.secret');
  });

  it('keeps no bank card of a buyer', async () => {
    const { recorder, call } = watchOne(() => Promise.resolve({ ok: true, result: {} }));
    await call(
      httpEvent('/abnormal', '{"to":"BUYER_CARD","bankAccount":"6222020000","realName":"张三"}'),
    );

    expect(recorder.list()[0]?.request.body).toBe(
      '{"to":"BUYER_CARD","bankAccount":"***","realName":"***"}',
    );
  });

  it('tells who called: WeChat, the schedule, a tool', async () => {
    const { recorder, call } = watchOne(() => Promise.resolve({ ok: true, result: { due: 0 } }));
    const xml = Buffer.from('<xml>通知</xml>').toString('base64');
    await call(httpEvent('/notify/v2/payment', xml, true));
    await call({ source: 'aws.events' });
    await call({});

    expect(recorder.list().map(({ from }) => from)).toEqual(['wechat', 'schedule', 'tool']);
    expect(recorder.list()[0]?.request.body).toBe('<xml>通知</xml>');
    expect(recorder.list(2)[0]?.response?.body).toBe('{"due":0}');
  });

  it('answers 500 for a function that failed', async () => {
    const error = { errorType: 'TypeError', errorMessage: 'oops' };
    const { recorder, call } = watchOne(() => Promise.resolve({ ok: false, error }));
    const outcome = await call(httpEvent('/prepay', '{}'));

    expect(outcome).toEqual({ ok: false, error });
    expect(recorder.list()[0]?.response?.status).toBe(500);
  });

  it('forgets the oldest messages', () => {
    const recorder = createRecorder();
    const note = { from: 'api', to: 'table', functionName: 'query', invocationId: '1' } as const;
    const request = { headers: {}, body: 'x'.repeat(100_000) };
    for (let i = 0; i < 5000; i += 1) {
      recorder.record({ ...note, method: 'GetItem', path: '/', request });
    }

    expect(recorder.list().length).toBeLessThan(3500);
    expect(recorder.list().at(-1)).toMatchObject({ id: 5000 });
    expect(recorder.list().at(-1)?.request.body.length).toBeLessThan(20_000);
  });
});

describe('the recorder of the table', () => {
  const recorder = createRecorder();
  let engine: LocalDynamoDb;
  let stopRecording: () => void;

  beforeAll(async () => {
    engine = await startDynamoDb();
    await createTable(engine.endpoint, 'orders');
    stopRecording = recordRequests('table', engine.endpoint, recorder);
  });
  afterAll(async () => {
    stopRecording();
    await engine.stop();
  });

  it('keeps what a call of a function asks and is answered, and nothing else', async () => {
    const client = createLocalClient(engine.endpoint);
    const put = (outTradeNo: string) =>
      client.send(
        new PutItemCommand({
          TableName: 'orders',
          Item: { PK: { S: `ORDER#${outTradeNo}` }, SK: { S: 'ORDER' }, name: { S: '拿铁' } },
          ConditionExpression: 'attribute_not_exists(PK)',
        }),
      );
    const invoke = async () => {
      await put('A1');
      await expect(put('A1')).rejects.toThrow('conditional request failed');
      return { ok: true as const, result: null };
    };
    const functions = recorder.watch(new Map([['prepay', { definition, invoke }]]));
    await put('B2');
    await functions.get('prepay')?.invoke(httpEvent('/prepay', '{}'));
    client.destroy();
    const [call, first, second, ...others] = recorder.list();

    expect(first).toMatchObject({ to: 'table', method: 'PutItem', functionName: 'prepay' });
    expect(first?.invocationId).toBe(call?.invocationId);
    expect(first?.request.body).toContain('"拿铁"');
    expect(first?.request.headers['authorization']).toBe('AWS4-HMAC-SHA256 ***');
    expect(first?.response).toMatchObject({ status: 200, body: '{}' });
    expect(second?.response?.status).toBe(400);
    expect(second?.response?.body).toContain('ConditionalCheckFailedException');
    expect(others).toEqual([]);
  });

  it('shows a row as it is, with its refunds, notifications, events and every write to it', async () => {
    const client = createLocalClient(engine.endpoint);
    const besides = ['REFUND#R1', 'REFUND#R2', 'REFUNDKEY#0f8d', 'NOTIFICATION#2026#n1'].map(
      (SK) => ['ORDER#A1', SK],
    );
    for (const [PK = '', SK = ''] of [...besides, ['ORDER#A10', 'REFUND#R3']]) {
      const Item = { PK: { S: PK }, SK: { S: SK }, refundFen: { N: '100' } };
      await client.send(new PutItemCommand({ TableName: 'orders', Item }));
    }
    client.destroy();
    const published = { id: 7, time: '', source: 'shop', detailType: 'Order Paid', detail: {} };
    const listOfOrder = (outTradeNo: string) => (outTradeNo === 'A1' ? [published] : []);
    const reader = openOrderReader(engine.endpoint, 'orders', recorder, { listOfOrder });
    const order = await reader.read('A1');
    const none = await reader.read('C3');
    reader.close();

    expect(order.row).toEqual({ PK: 'ORDER#A1', SK: 'ORDER', name: '拿铁' });
    expect(order.refunds).toEqual([
      { PK: 'ORDER#A1', SK: 'REFUND#R1', refundFen: 100 },
      { PK: 'ORDER#A1', SK: 'REFUND#R2', refundFen: 100 },
    ]);
    expect(order.notifications).toEqual([
      { PK: 'ORDER#A1', SK: 'NOTIFICATION#2026#n1', refundFen: 100 },
    ]);
    expect(order.events).toEqual([published]);
    expect(order.writes.map(({ response }) => response?.status)).toEqual([200, 400]);
    expect(none).toEqual({
      row: undefined,
      refunds: [],
      notifications: [],
      events: [],
      writes: [],
    });
  });
});

describe('the recorder of EventBridge', () => {
  it('keeps each call whole, and how it ended: taken, refused in part, not there', async () => {
    const recorder = createRecorder();
    const bus = await startEventBridge({ path: ':memory:', busName: 'shop-local' });
    const stopRecording = recordRequests('event-bus', bus.endpoint, recorder);
    const client = new EventBridgeClient({
      endpoint: bus.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    const long = JSON.stringify({ eventId: 'A1.1', description: 'x'.repeat(30_000) });
    const entry = { EventBusName: 'shop-local', Source: 'shop', DetailType: 'T', Detail: long };
    const put = () => client.send(new PutEventsCommand({ Entries: [entry] }));
    const invoke = async () => {
      await put();
      bus.faults.fail = 1;
      await put();
      bus.faults.away = true;
      await expect(put()).rejects.toThrow('away');
      return { ok: true as const, result: null };
    };
    const publish = { ...definition, name: 'publish' };
    const functions = recorder.watch(new Map([['publish', { definition: publish, invoke }]]));
    await functions.get('publish')?.invoke({ Records: [] });
    stopRecording();
    client.destroy();
    await bus.stop();
    const [call, ...puts] = recorder.list();

    expect(puts.map(({ to, method, functionName }) => [to, method, functionName])).toEqual(
      Array.from({ length: 3 }, () => ['event-bus', 'PutEvents', 'publish']),
    );
    expect(new Set(puts.map(({ invocationId }) => invocationId))).toEqual(
      new Set([call?.invocationId]),
    );
    const sent = JSON.parse(puts[0]?.request.body ?? '') as { Entries: { Detail: string }[] };
    expect(sent.Entries[0]?.Detail).toBe(long);
    expect(puts.map(({ response }) => response?.status)).toEqual([200, 200, 503]);
    expect(puts[1]?.response?.body).toContain('"FailedEntryCount":1');
  });
});
