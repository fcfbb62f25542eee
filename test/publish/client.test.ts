/** The connection to EventBridge, over real sockets. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type EventsClient,
  MAX_CALL_MS,
  openEventsClient,
  putEvents,
} from '../../lib/publish/client.ts';
import { refusingUrl, serve, type ScriptedServer } from '../support/scripted-server.ts';

let server: ScriptedServer | undefined;

beforeEach(() => {
  vi.stubEnv('AWS_REGION', 'ap-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'id');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.stop();
  server = undefined;
});

const entry = {
  EventBusName: 'bus',
  Source: 'wechatpay-serverless',
  DetailType: 'Order Paid',
  Detail: '{"eventId":"order-0001.1"}',
  Time: new Date('2026-03-01T02:00:05Z'),
};

async function clientTo(answer: Parameters<typeof serve>[0]): Promise<EventsClient> {
  server = await serve(answer);
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', server.url);
  return openEventsClient();
}

const json = { 'content-type': 'application/x-amz-json-1.1' };

test('a call is what the API of EventBridge asks for, on one connection for all', async () => {
  const client = await clientTo((response) => {
    response.writeHead(200, json).end('{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}');
  });

  expect(await putEvents(client, [entry])).toBeUndefined();
  expect(await putEvents(client, [entry])).toBeUndefined();
  expect(server?.received.map(({ headers }) => headers['x-amz-target'])).toEqual([
    'AWSEvents.PutEvents',
    'AWSEvents.PutEvents',
  ]);
  expect(JSON.parse(server?.received[0]?.body ?? '')).toEqual({
    Entries: [{ ...entry, Time: 1_772_330_405 }],
  });
  expect(server?.connections()).toBe(1);
});

test('of refused entries the first is told, with its code', async () => {
  const client = await clientTo((response) => {
    response
      .writeHead(200, json)
      .end(
        '{"FailedEntryCount":2,"Entries":[{"EventId":"1"},{"ErrorCode":"ThrottlingException"},{"ErrorCode":"InternalFailure"}]}',
      );
  });

  expect(await putEvents(client, [entry, entry, entry])).toEqual({
    index: 1,
    code: 'ThrottlingException',
  });
});

test('a fault is tried three times in all, and then told', async () => {
  const client = await clientTo((response) => {
    response.writeHead(500, json).end('{"__type":"InternalException"}');
  });

  await expect(putEvents(client, [entry])).rejects.toMatchObject({ name: 'InternalException' });
  expect(server?.received).toHaveLength(3);
});

test('a fault that passes is not told', async () => {
  const client = await clientTo((response, _request, received) => {
    if (received.length < 2) {
      response.writeHead(400, json).end('{"__type":"ThrottlingException"}');
    } else {
      response.writeHead(200, json).end('{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}');
    }
  });

  expect(await putEvents(client, [entry])).toBeUndefined();
  expect(server?.received).toHaveLength(2);
});

test('an EventBridge that never answers is given up within the longest time of a call', async () => {
  const client = await clientTo(() => undefined);
  const startedAt = performance.now();
  await expect(putEvents(client, [entry])).rejects.toMatchObject({ name: 'TimeoutError' });
  const elapsedMs = performance.now() - startedAt;

  expect(server?.received).toHaveLength(3);
  expect(elapsedMs).toBeGreaterThan(3 * 3_000 - 100);
  // The machine of the test may be busy; one attempt more would not fit.
  expect(elapsedMs).toBeLessThan(MAX_CALL_MS + 2_000);
});

test('an EventBridge that cannot be reached is told as that', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', await refusingUrl());

  await expect(putEvents(openEventsClient(), [entry])).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
});
