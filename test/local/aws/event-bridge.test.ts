import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type EventBridge,
  type EventBridgeOptions,
  startEventBridge,
} from '../../../local/aws/event-bridge/event-bridge.ts';
import type { StoredEvent } from '../../../local/aws/event-bridge/event-store.ts';

let directory: string;
let bus: EventBridge;
let client: EventBridgeClient;

const open = async (options: Partial<EventBridgeOptions> = {}) => {
  bus = await startEventBridge({
    path: path.join(directory, 'events.sqlite'),
    busName: 'shop-local',
    ...options,
  });
  client = new EventBridgeClient({
    endpoint: bus.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
};
const close = async () => {
  client.destroy();
  await bus.stop();
};
const paid = (outTradeNo: string) => ({
  EventBusName: 'shop-local',
  Source: 'shop',
  DetailType: 'Order Paid',
  Detail: JSON.stringify({ eventId: `${outTradeNo}.1`, outTradeNo }),
  Time: new Date('2026-11-25T08:00:00.750Z'),
});
type Entry = Partial<ReturnType<typeof paid>> & { Resources?: string[] };
const put = (...entries: Entry[]) => client.send(new PutEventsCommand({ Entries: entries }));
const listIds = () => bus.events.list(0, 100).map(({ detail }) => detail.eventId);

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'events-'));
  await open();
});
afterEach(async () => {
  await close();
  rmSync(directory, { recursive: true });
});

describe('PutEvents', () => {
  it('answers an id for each entry and keeps the events in order, their ids from 1', async () => {
    const answer = await put(paid('A1'), paid('A2'));
    expect(answer.FailedEntryCount).toBe(0);
    expect(answer.Entries).toHaveLength(2);
    for (const { EventId } of answer.Entries ?? []) {
      expect(EventId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    }
    expect(bus.events.list(0, 100)).toEqual([
      {
        id: 1,
        time: '2026-11-25T08:00:00Z',
        source: 'shop',
        detailType: 'Order Paid',
        detail: { eventId: 'A1.1', outTradeNo: 'A1' },
      },
      expect.objectContaining({ id: 2, detail: { eventId: 'A2.1', outTradeNo: 'A2' } }),
    ]);
  });

  it('takes the ARN of the bus for its name, and the time of now for none', async () => {
    const { Time: _, ...timeless } = paid('A1');
    await put({
      ...timeless,
      EventBusName: 'arn:aws:events:us-east-1:000000000000:event-bus/shop-local',
    });
    const [event] = bus.events.list(0, 1);
    expect(Math.abs(Date.parse(event?.time ?? '') - Date.now())).toBeLessThan(60_000);
  });

  it('keeps events and ids over a restart', async () => {
    await put(paid('A1'), paid('A2'));
    await close();
    await open();
    await put(paid('A3'));
    expect(bus.events.list(1, 100).map(({ id }) => id)).toEqual([2, 3]);
    expect(listIds()).toEqual(['A1.1', 'A2.1', 'A3.1']);
  });

  it('refuses eleven entries, none at all and more than 256 KB as a whole', async () => {
    await expect(put(...Array.from({ length: 11 }, () => paid('A1')))).rejects.toThrow(
      "at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10",
    );
    await expect(put()).rejects.toThrow('Member must have length greater than or equal to 1');
    const half = { ...paid('A2'), Detail: JSON.stringify({ text: 'x'.repeat(128 * 1024) }) };
    await expect(put(paid('A1'), half, half)).rejects.toThrow(
      'Total size of the entries in the request is over the limit.',
    );
    expect(bus.events.list(0, 100)).toEqual([]);
  });

  it('counts time, source, detail type, detail and resources of an entry, as bytes', async () => {
    // 14 for the time, 4 for `shop`, 10 for `Order Paid`, 3 for `付`.
    const rest = 256 * 1024 - 14 - 4 - 10 - 3;
    const fitting = { ...paid('A1'), Detail: `{"a":"${'x'.repeat(rest - 8)}"}`, Resources: ['付'] };
    expect((await put(fitting)).FailedEntryCount).toBe(0);
    const larger = { ...fitting, Resources: ['付x'] };
    await expect(put(larger)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it.each([
    ['Source', { Source: '' }, 'InvalidArgument', 'Source is a required argument.'],
    ['DetailType', { DetailType: '' }, 'InvalidArgument', 'DetailType is a required argument.'],
    ['Detail', { Detail: '' }, 'InvalidArgument', 'Detail is a required argument.'],
    ['no JSON', { Detail: '{' }, 'MalformedDetail', 'Detail is malformed.'],
    ['a list', { Detail: '[1]' }, 'MalformedDetail', 'Detail is malformed.'],
    [
      "AWS's own source",
      { Source: 'aws.events' },
      'NotAuthorizedForSourceException',
      'Not authorized for the source.',
    ],
  ])('refuses one entry for its %s and takes the others', async (_, wrong, code, message) => {
    const answer = await put(paid('A1'), { ...paid('A2'), ...wrong }, paid('A3'));
    expect(answer.FailedEntryCount).toBe(1);
    const refused = answer.Entries?.[1];
    expect(refused).toMatchObject({ ErrorCode: code });
    expect(refused?.ErrorMessage).toContain(message);
    expect(refused?.EventId).toBeUndefined();
    expect(listIds()).toEqual(['A1.1', 'A3.1']);
  });

  it('takes and drops an event to a bus that there is not, as AWS does, and says so here', async () => {
    const dropped: string[] = [];
    const taken: StoredEvent[] = [];
    await close();
    await open({
      onDropped: (busName) => dropped.push(busName),
      onEvent: (event) => taken.push(event),
    });
    const { EventBusName: _, ...busless } = paid('A3');
    const answer = await put({ ...paid('A1'), EventBusName: 'another' }, paid('A2'), busless);
    expect(answer.FailedEntryCount).toBe(0);
    expect(dropped).toEqual(['another', 'default']);
    expect(taken.map(({ id, detail }) => [id, detail.eventId])).toEqual([[1, 'A2.1']]);
    expect(listIds()).toEqual(['A2.1']);
  });

  it('knows no other operation and no body that is no object', async () => {
    const call = async (target: string, body: string) => {
      const headers = { 'x-amz-target': target };
      const answer = await fetch(bus.endpoint, { method: 'POST', headers, body });
      return [answer.status, ((await answer.json()) as { __type: string }).__type];
    };
    expect(await call('AWSEvents.ListRules', '{}')).toEqual([400, 'UnknownOperationException']);
    expect(await call('AWSEvents.PutEvents', '{')).toEqual([400, 'SerializationException']);
    expect(await call('AWSEvents.PutEvents', '[]')).toEqual([400, 'SerializationException']);
    expect(await call('AWSEvents.PutEvents', '{"Entries":[1]}')).toEqual([
      400,
      'SerializationException',
    ]);
    expect(await call('AWSEvents.PutEvents', '{}')).toEqual([400, 'ValidationException']);
  });

  it('fails as many entries as it is told to, counted over calls', async () => {
    bus.faults.fail = 3;
    const failures = async (...names: string[]) =>
      (await put(...names.map(paid))).Entries?.map(({ ErrorCode }) => ErrorCode);
    expect(await failures('A1', 'A2')).toEqual(['InternalFailure', 'InternalFailure']);
    expect(await failures('A1', 'A2')).toEqual(['InternalFailure', undefined]);
    expect(await failures('A1')).toEqual([undefined]);
    expect(listIds()).toEqual(['A2.1', 'A1.1']);
  });

  it('answers 503 while it is away, and later while it is slow', async () => {
    bus.faults.away = true;
    await expect(put(paid('A1'))).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    bus.faults.away = false;
    bus.faults.slowMs = 200;
    const startedAt = performance.now();
    await put(paid('A2'));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(199);
    expect(listIds()).toEqual(['A2.1']);
  });

  it('finds the events of an order', async () => {
    await put(paid('A1'), paid('A2'), { ...paid('A1'), DetailType: 'Refund Succeeded' });
    await put({ ...paid(''), Detail: '{"date":"2026-11-25"}' });
    const types = bus.events.listOfOrder('A1').map(({ id, detailType }) => [id, detailType]);
    expect(types).toEqual([
      [1, 'Order Paid'],
      [3, 'Refund Succeeded'],
    ]);
    expect(bus.events.listOfOrder('A9')).toEqual([]);
  });

  it('names a file that holds no events', async () => {
    const file = path.join(directory, 'broken.sqlite');
    writeFileSync(file, 'no database, and longer than the header of one would be'.repeat(10));
    await expect(startEventBridge({ path: file, busName: 'b' })).rejects.toThrow(
      /broken\.sqlite cannot be read as events .*--fresh/,
    );
  });
});
