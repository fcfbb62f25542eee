/** The operator's tool on a deployed stage, with what stands in for AWS. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Item } from '../../lib/table/attributes.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { archivedNotification } from '../../lib/table/notifications.ts';
import { createLocalClient, createTable, startDynamoDb } from '../../local/aws/dynamodb.ts';
import { type EventBridge, startEventBridge } from '../../local/aws/event-bridge/event-bridge.ts';
import { VERSIONS } from '../contract/wechat-pay.ts';
import { putRow, rowOf } from '../support/embedded-tables.ts';
import {
  attributes,
  factOf,
  notificationOf,
  openOrderRow,
  paidOrderRow,
  refundRow,
  streamRecord,
  unknownPaymentRow,
  withFacts,
} from '../support/fact-rows.ts';
import { jsonOf, operate } from '../support/operator.ts';
import { sampleOrder } from '../support/sample-orders.ts';
import { type StageConsole, startStageConsole } from '../support/stage-console.ts';
import { writable } from '../support/watched-table.ts';

const STACK = 'wechatpay-serverless-shop';
const BUCKET = 'failed-events';

let directory: string;
let console: StageConsole;
let bus: EventBridge;
let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
let table: Table;
let client: ReturnType<typeof createLocalClient>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wechatpay-stage-'));
  console = await startStageConsole(STACK, BUCKET);
  bus = await startEventBridge({ path: join(directory, 'events.sqlite'), busName: STACK });
  dynamoDb = await startDynamoDb();
  await createTable(dynamoDb.endpoint, 'orders');
  client = createLocalClient(dynamoDb.endpoint);
  table = writable({ client, tableName: 'orders' });
  Object.assign(console.outputs, {
    TableName: 'orders',
    EventBusName: STACK,
    NotificationRetentionDays: '30',
    MerchantSecretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:m',
    MiniProgramSecretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:p',
    ApiUrl: 'https://api.example.com',
    ApiVersion: 'v3',
    PaymentAfterClose: 'keep',
    FailedEventsBucketName: BUCKET,
  });
  for (const [name, value] of Object.entries({
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'eu-west-1',
    SETTINGS_DIRECTORY: directory,
    AWS_ENDPOINT_URL_CLOUDFORMATION: console.url,
    AWS_ENDPOINT_URL_S3: console.url,
    AWS_ENDPOINT_URL_LAMBDA: console.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint,
  })) {
    vi.stubEnv(name, value);
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  client.destroy();
  await Promise.all([console.stop(), bus.stop(), dynamoDb.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

const ops = (answer: 'yes' | 'no' | undefined, ...args: string[]) =>
  operate(['--stage', 'shop', ...args], {}, answer);
const sent = () => bus.events.list(0, 100).map(({ detail }) => String(detail['eventId']));
const putFailed = (key: string, ...Records: DynamoDBRecord[]) =>
  console.objects.set(
    key,
    JSON.stringify({ version: '1.0', payload: JSON.stringify({ Records }) }),
  );
const keyAt = (time: string) => `aws/lambda/0f8d/shard-1/2026/03/01/2026-03-01T${time}-a1`;

describe('the stage', () => {
  test.each([
    ['the flag', ['--region', 'cn-north-1'], undefined, 'cn-north-1'],
    ['its file of settings', [], 'region: ap-east-1\n', 'ap-east-1'],
    ['the shell', [], undefined, 'eu-west-1'],
  ])('is in the Region that %s names', async (_, flags, settings, region) => {
    if (settings) {
      writeFileSync(join(directory, 'params.shop.yml'), settings);
    }
    expect(await ops(undefined, ...flags, 'events', 'replay')).toMatchObject({ code: 0, err: '' });
    expect([...console.regions]).toEqual([region]);
    expect(process.env['AWS_REGION']).toBe('eu-west-1');
  });

  test.each([
    ['en', 'there are no AWS credentials: set them by aws configure or AWS_PROFILE'],
    ['zh', '没有可用的 AWS 凭证：用 aws configure 或 AWS_PROFILE 设置'],
  ])('needs credentials, and says so (%s)', async (language, said) => {
    for (const [name, value] of Object.entries({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: undefined,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: join(directory, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none'),
    })) {
      vi.stubEnv(name, value);
    }

    expect(await ops(undefined, '--lang', language, 'events', 'replay')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(said),
    });
    expect(process.env['AWS_REGION']).toBe('eu-west-1');
  });

  test('that is not there, or of an older version, is said to be so', async () => {
    expect(await operate(['events', 'replay', '--stage', 'shup'])).toMatchObject({
      code: 2,
      err: 'there is no stack wechatpay-serverless-shup in eu-west-1',
    });
    delete console.outputs['ApiVersion'];
    expect(await ops(undefined, 'events', 'replay', '--lang', 'zh')).toMatchObject({
      code: 2,
      err: `堆栈 ${STACK} 没有输出项 ApiVersion：请先部署当前版本`,
    });
  });

  test('has no list of events', async () => {
    expect(await ops(undefined, 'events', 'list')).toMatchObject({
      code: 2,
      err: expect.stringContaining('a bus keeps no list'),
    });
  });
});

test('a stage in mainland China keeps no batches, and says what to do instead', async () => {
  delete console.outputs['FailedEventsBucketName'];
  console.outputs['FailedEventsQueueUrl'] = 'https://sqs.cn-north-1.amazonaws.com.cn/1/failed';

  expect(await ops('yes', 'events', 'replay')).toMatchObject({
    code: 2,
    err: expect.stringContaining('events rebuild'),
  });
});

describe('rebuild on a stage', () => {
  const MARCH_FIRST = ['events', 'rebuild', '--from', '2026-03-01', '--to', '2026-03-02'];
  // 2026-03-02 begins in Beijing at 16:00 of the 1st in UTC.
  const requested = (at: string) => withFacts(refundRow(), factOf('REQUESTED', {}, at));

  beforeEach(async () => {
    await putRow(table, paidOrderRow());
    await putRow(table, unknownPaymentRow());
    await putRow(table, attributes({ PK: 'PRODUCT#latte', SK: 'PRODUCT', priceFen: 2800 }));
  });

  test('asks, and then sends what was recorded in the period and nothing else', async () => {
    await putRow(table, requested('2026-03-01T16:00:00Z'));

    expect(await ops(undefined, ...MARCH_FIRST)).toMatchObject({
      code: 2,
      err: 'there is no terminal to ask in: give --yes',
    });
    expect(await ops('no', ...MARCH_FIRST)).toMatchObject({ code: 2, err: 'Nothing was written.' });
    expect(sent()).toEqual([]);
    const seen = await ops('yes', ...MARCH_FIRST);
    expect(seen).toMatchObject({ code: 0, questions: [expect.stringContaining(STACK)] });
    expect(sent().toSorted()).toEqual(['order-0001.1', 'unknown.4200000001202603010000000001.1']);
  });

  test('takes the first moment of the period in, and sends all without asking when told so', async () => {
    await putRow(table, requested('2026-02-28T16:00:00Z'));

    expect(await ops(undefined, '--yes', ...MARCH_FIRST)).toMatchObject({ code: 0 });
    expect(sent()).toContain('order-0001.refund-0001.1');
  });

  test('tells what cannot be read, and sends the rest', async () => {
    await putRow(table, requested('2026-03-01T00:00:00Z'));
    await putRow(table, paidOrderRow({ totalFen: { S: 'much' } }));

    const seen = await ops('yes', ...MARCH_FIRST, '--json');
    expect(seen.code).toBe(1);
    expect(jsonOf(seen)).toMatchObject({
      rows: 4,
      events: { 'Payment Mismatch': 1, 'Refund Requested': 1 },
      unreadable: [expect.stringContaining('totalFen')],
    });
    expect(sent()).toHaveLength(2);
  });

  test.each([
    [['--from', '2026-02-30'], '--from 2026-02-30 is no time'],
    [['--from', '2026-03-01T08:00:00'], 'is no time'],
    [['--from', '2026-03-01', '--to', 'now'], '--to now is no time'],
    [['--from', '2026-03-02', '--to', '2026-03-02'], '--from must be before --to'],
    [[], '--from is missing'],
  ])('refuses %j', async (flags, reason) => {
    const seen = await ops('yes', 'events', 'rebuild', ...flags);

    expect(seen).toMatchObject({ code: 2, err: expect.stringContaining(reason), questions: [] });
    expect(sent()).toEqual([]);
  });
});

describe('replay on a stage', () => {
  test('sends what is in the bucket, and keeps what WeChat sent, as publish would have', async () => {
    const notified = paidOrderRow({ notification: notificationOf() });
    putFailed(keyAt('04.00.00'), streamRecord(unknownPaymentRow()));
    putFailed(keyAt('03.00.00'), streamRecord(notified, openOrderRow()));
    putFailed(keyAt('05.00.00'), streamRecord(withFacts(refundRow(), factOf('REQUESTED'))));

    expect(await ops(undefined, 'events', 'replay')).toMatchObject({ code: 2 });
    expect(sent()).toEqual([]);
    const seen = await ops('yes', 'events', 'replay');
    expect(seen).toMatchObject({ code: 0, questions: [expect.stringContaining('3 batches')] });
    expect(sent()).toEqual([
      'order-0001.1',
      'unknown.4200000001202603010000000001.1',
      'order-0001.refund-0001.1',
    ]);
    const kept = await rowOf(
      table,
      'ORDER#order-0001',
      'NOTIFICATION#2026-03-01T02:00:05.123Z#notice-1',
    );
    // 2026-03-31T02:00:05Z: after the stage's 30 days.
    expect(kept?.['deleteAt']).toEqual({ N: '1774922405' });
    expect(console.objects.size).toBe(3);
    // No function counts it for an alarm.
    expect(seen.out).toContain('Payment Mismatch unknown.4200000001202603010000000001.1');
  });

  test('deletes what was sent wholly, when told to, and nothing else', async () => {
    const damaged = paidOrderRow({ totalFen: { S: 'much' } });
    putFailed(keyAt('03.00.00'), streamRecord(paidOrderRow(), openOrderRow()));
    putFailed(keyAt('04.00.00'), streamRecord(damaged, openOrderRow()));
    console.objects.set('note.txt', 'not a batch');

    const seen = await ops('yes', 'events', 'replay', '--delete');
    expect(seen.code).toBe(1);
    expect(seen.out).toContain('note.txt is no batch of records');
    expect(seen.out).toContain('totalFen');
    expect(seen.out).toContain('1 objects were deleted.');
    expect([...console.objects.keys()]).toEqual([keyAt('04.00.00'), 'note.txt']);
  });

  test('stops at what the bus does not take, and deletes nothing of it', async () => {
    putFailed(keyAt('03.00.00'), streamRecord(paidOrderRow(), openOrderRow()));
    putFailed(keyAt('04.00.00'), streamRecord(unknownPaymentRow()));
    bus.faults.fail = 100;

    const seen = await ops('yes', 'events', 'replay', '--delete', '--json');
    expect(seen.code).toBe(1);
    expect(jsonOf(seen)).toMatchObject({
      events: {},
      left: 2,
      batches: [{ isDone: false, problems: [expect.stringContaining('InternalFailure')] }],
    });
    expect(console.objects.size).toBe(2);
  });

  test('goes on from the record that the bus refused once', async () => {
    const second = streamRecord(unknownPaymentRow(), undefined, '101');
    putFailed(keyAt('03.00.00'), streamRecord(paidOrderRow(), openOrderRow()), second);
    bus.faults.fail = 1;

    expect(await ops('yes', 'events', 'replay')).toMatchObject({ code: 0 });
    expect(new Set(sent())).toEqual(
      new Set(['order-0001.1', 'unknown.4200000001202603010000000001.1']),
    );
  });
});

describe.each(VERSIONS)('redrive on a stage, API $name', (version) => {
  /** The archive's row of a payment's message, beside `PK`. */
  async function archive(PK: string): Promise<void> {
    const { wechatPay } = version.open({ kind: 'closed' });
    const { message } = await wechatPay.parseNotification(
      version.notification({ kind: 'payment' }),
    );
    const { M: carried = {} } = notificationOf('notice-1');
    const changes = attributes({
      apiVersion: version.name,
      message: message.content,
      decision: 'mismatch',
    });
    const row: Item = { ...openOrderRow(), notification: { M: { ...carried, ...changes } } };
    await putRow(table, { ...archivedNotification(row, undefined, 30), PK: { S: PK } });
  }
  const redrive = ['notifications', 'redrive', 'order-0001', 'notice-1'];

  test('shows and records a payment that a bug did not record', async () => {
    await createOrder(table, sampleOrder({ apiVersion: version.name }));
    await archive('ORDER#order-0001');
    const before = await rowOf(table, 'ORDER#order-0001');

    const planned = await ops(undefined, ...redrive, '--json');
    expect(planned.code).toBe(0);
    expect(jsonOf(planned)).toMatchObject({
      plan: { decision: 'apply', state: 'NOTPAY', to: 'SUCCESS' },
      isApplied: false,
    });
    expect(await rowOf(table, 'ORDER#order-0001')).toEqual(before);
    expect(await ops('no', ...redrive, '--apply')).toMatchObject({ code: 2 });
    expect(await rowOf(table, 'ORDER#order-0001')).toEqual(before);

    const applied = await ops(undefined, ...redrive, '--apply', '--yes', '--json');
    expect(applied.code).toBe(0);
    expect(jsonOf(applied)).toMatchObject({ isApplied: true, after: { decision: 'duplicate' } });
    expect((await rowOf(table, 'ORDER#order-0001'))?.['tradeState']).toEqual({ S: 'SUCCESS' });
  });

  test('says in what a message contradicts its order', async () => {
    await createOrder(table, sampleOrder({ apiVersion: version.name, totalFen: 2900 }));
    await archive('ORDER#order-0001');

    expect(await ops(undefined, ...redrive)).toMatchObject({
      code: 1,
      out: 'It contradicts order order-0001 in totalFen: expected 2900, observed 2800; a person must look.',
    });
  });

  test('does not show who paid', async () => {
    await createOrder(table, sampleOrder({ apiVersion: version.name, openid: 'another' }));
    await archive('ORDER#order-0001');

    const seen = await ops(undefined, ...redrive, '--lang', 'zh');
    expect(seen).toMatchObject({
      code: 1,
      out: '与订单 order-0001 的 openid 不一致，需要人工核对。',
    });
  });

  test('finds a payment of no order under its own number', async () => {
    await archive('UNKNOWN#4200000001');

    const list = ['notifications', 'list', '4200000001', '--unknown', '--json'];
    expect(jsonOf(await ops(undefined, ...list))).toMatchObject({
      notifications: [{ id: 'notice-1', kind: 'payment' }],
    });
    expect(
      await ops(undefined, 'notifications', 'redrive', '4200000001', 'notice', '--unknown'),
    ).toMatchObject({
      code: 1,
      out: 'There is no order order-0001 here, so nothing can be recorded.',
    });
  });
});

describe('ops bill', () => {
  const FUNCTION = 'wechatpay-serverless-shop-bill';
  const ANSWER = {
    date: '2026-11-24',
    state: 'DIFFERENCES',
    payments: { count: 3, totalFen: 8_400 },
    refunds: { count: 1, totalFen: 800 },
    feesFen: 46.2,
    carriedOver: 2,
    foreign: 5,
    differences: [
      {
        kind: 'MISSING_HERE',
        state: 'OPEN',
        outTradeNo: 'till-1',
        transactionId: '4200',
        thereFen: 990,
        line: 7,
      },
    ],
    differenceCount: 1,
    repaired: [
      {
        kind: 'REFUND_MISSING_HERE',
        outTradeNo: 'o-1',
        outRefundNo: 'r-1',
        repair: 'ORDER_LEFT_DUE',
      },
    ],
    changed: { appeared: 0, gone: 0 },
  };
  let events: unknown[];

  const answering = (answer: object | string) => {
    events = [];
    console.functions.set(FUNCTION, (event) => {
      events.push(event);
      return answer;
    });
  };

  test('runs the function of the stage and shows what does not agree', async () => {
    answering(ANSWER);
    const seen = await ops(undefined, 'bill', 'run', '2026-11-24');

    expect(events).toEqual([{ date: '2026-11-24' }]);
    expect(seen).toMatchObject({ code: 1, err: '' });
    expect(seen.out).toMatch(
      /^2026-11-24: DIFFERENCES\n3 payments, 8400 fen; 1 refunds, 800 fen; fees 46.2 fen\n/,
    );
    expect(seen.out).toMatch(/MISSING_HERE.*OPEN.*till-1.*4200.*990.*7/);
    expect(seen.out).toMatch(/REFUND_MISSING_HERE.*o-1.*r-1.*ORDER_LEFT_DUE/);
    expect(jsonOf(await ops(undefined, 'bill', 'show', '2026-11-24', '--json'))).toEqual(ANSWER);
    expect(events.at(-1)).toEqual({ date: '2026-11-24', show: true });
  });

  test('is good when all agrees or was explained', async () => {
    answering({
      ...ANSWER,
      differences: [{ ...ANSWER.differences[0], state: 'EXPLAINED', note: 'till 3' }],
    });
    const note = ['--line', '7', 'MISSING_HERE', '4200', 'till 3'];
    const seen = await ops(undefined, 'bill', 'explain', '2026-11-24', ...note);

    expect(events).toEqual([
      {
        date: '2026-11-24',
        explain: { kind: 'MISSING_HERE', number: '4200', note: 'till 3', line: 7 },
      },
    ]);
    expect(seen).toMatchObject({ code: 0, err: '' });
    expect(seen.out).toContain('till 3');
    answering({ ...ANSWER, state: 'BALANCED', differences: [], differenceCount: 0, repaired: [] });
    expect(await ops(undefined, 'bill', 'run', '2026-11-24')).toMatchObject({ code: 0 });
  });

  test('is not good while most of it is not shown', async () => {
    answering({
      ...ANSWER,
      differences: [{ ...ANSWER.differences[0], state: 'EXPLAINED' }],
      differenceCount: 130,
    });
    const seen = await ops(undefined, 'bill', 'show', '2026-11-24');

    expect(seen.code).toBe(1);
    expect(seen.out).toContain('130 differences in all');
  });

  test('gives the whole as CSV', async () => {
    answering({ ...ANSWER, csv: 'date,kind\r\n`2026-11-24,`MISSING_HERE\r\n' });
    const seen = await ops(undefined, 'bill', 'show', '2026-11-24', '--csv');

    expect(events).toEqual([{ date: '2026-11-24', show: true, format: 'csv' }]);
    expect(seen.out).toBe('date,kind\r\n`2026-11-24,`MISSING_HERE');
  });

  test('says why nothing was compared, and what the function said when it failed', async () => {
    answering({ ...ANSWER, state: 'NOT_READY', reason: 'Bill Creating', differences: [] });
    expect(await ops(undefined, 'bill', 'run', '2026-11-24', '--lang', 'zh')).toMatchObject({
      code: 1,
      out: '2026-11-24：没有核对：Bill Creating',
    });
    answering('the lease of the run was lost');
    expect(await ops(undefined, 'bill', 'run', '2026-11-24')).toMatchObject({
      code: 1,
      err: 'the lease of the run was lost',
    });
    const words = ['explain', '2026-11-24', 'MISSING_HERE', '4200', 'till 3'];
    expect(await ops(undefined, 'bill', ...words)).toMatchObject({
      code: 1,
      err: 'the lease of the run was lost',
    });
  });

  test.each([
    ['the day is not over', '当天尚未结束'],
    ['the bill was not checked yet', '这一天尚未核对过，请先运行 bill run'],
    ['the bill is refused: line 3: no number', '账单有误：line 3: no number'],
  ])('says in Chinese that %s', async (reason, said) => {
    answering({ ...ANSWER, state: 'NOT_READY', reason, differences: [] });

    expect(await ops(undefined, 'bill', 'show', '2026-11-24', '--lang', 'zh')).toMatchObject({
      code: 1,
      out: `2026-11-24：没有核对：${said}`,
    });
  });

  test('says beside a CSV that nothing was compared', async () => {
    const earlier = 'date,kind\r\n';
    answering({ ...ANSWER, state: 'NOT_READY', reason: 'Bill Creating', csv: earlier });

    expect(await ops(undefined, 'bill', 'run', '2026-11-24', '--csv')).toMatchObject({
      code: 1,
      out: 'date,kind',
      err: '2026-11-24: nothing was compared: Bill Creating',
    });
  });

  test('says that there is no such difference to explain', async () => {
    answering('INVALID_REQUEST (field=explain)');
    const words = ['explain', '2026-11-24', 'MISSING_HERE', '4200', 'till 3'];

    expect(await ops(undefined, 'bill', ...words)).toMatchObject({
      code: 1,
      err: expect.stringContaining('no difference MISSING_HERE 4200 left to explain'),
    });
    expect(await ops(undefined, 'bill', ...words, '--lang', 'zh')).toMatchObject({
      code: 1,
      err: expect.stringContaining('2026-11-24 没有待说明的差异 MISSING_HERE 4200'),
    });
  });

  test.each([
    [['run', 'yesterday'], 'yesterday is no day: write 2026-11-24'],
    [['explain', '2026-11-24', 'A', '1', 'x', '--line', 'y'], '--line takes the number of a line'],
  ])('%j is used wrongly', async (words, err) => {
    answering(ANSWER);

    expect(await ops(undefined, 'bill', ...words)).toMatchObject({ code: 2, err });
    expect(events).toEqual([]);
  });
});
