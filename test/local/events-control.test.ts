import { beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../local/aws/event-bridge/event-store.ts';
import { answerEvents, type EventsControl } from '../../local/events-control.ts';

const event = (id: number): StoredEvent => ({
  id,
  time: '2026-11-25T08:00:00Z',
  source: 'shop',
  detailType: 'Order Paid',
  detail: { eventId: `A${id}.1` },
});

let control: EventsControl;
let redelivered: number[];

beforeEach(() => {
  redelivered = [];
  control = {
    eventBridge: {
      events: {
        list: (afterId, limit) => [1, 2, 3].filter((id) => id > afterId && id <= limit).map(event),
        listOfOrder: () => [],
      },
      faults: { fail: 0, slowMs: 0, away: false },
    },
    eventSource: {
      redeliver: async (count) => {
        redelivered.push(count);
        return Math.min(count, 2);
      },
    },
  };
});

const send = async (method: string, path: string, body = '') => {
  const [pathname = '', rawQueryString = ''] = path.split('?');
  const [, , , argument] = pathname.split('/');
  const request = {
    method,
    path: pathname,
    rawQueryString,
    body: Buffer.from(body),
    host: '127.0.0.1',
    origin: undefined,
    remoteAddress: '127.0.0.1',
  };
  const { statusCode, body: answer } = await answerEvents(control, request, argument);
  return { statusCode, content: JSON.parse(answer.toString()) as Record<string, unknown> };
};
const fault = (body: string) => send('POST', '/_local/events/faults', body);

describe('/_local/events', () => {
  it('lists the events after an id, in order', async () => {
    expect(await send('GET', '/_local/events?after=1')).toEqual({
      statusCode: 200,
      content: { events: [event(2), event(3)] },
    });
    expect((await send('GET', '/_local/events')).content['events']).toHaveLength(3);
  });

  it.each(['x', '-1', '1.5'])('refuses after=%s', async (after) => {
    const { statusCode, content } = await send('GET', `/_local/events?after=${after}`);
    expect(statusCode).toBe(400);
    expect(content).toMatchObject({ error: { code: 'INVALID_AFTER' } });
  });

  it('sets faults, each by itself or several, and says what then holds', async () => {
    expect((await fault('{"fail":3}')).content).toEqual({ fail: 3, slowMs: 0, away: false });
    expect((await fault('{"slowMs":20,"away":true}')).content).toEqual({
      fail: 3,
      slowMs: 20,
      away: true,
    });
    expect((await fault('{"fail":0,"away":false}')).content).toEqual({
      fail: 0,
      slowMs: 20,
      away: false,
    });
  });

  it('gives records again, and says how many those were', async () => {
    const { content } = await fault('{"redeliver":5}');
    expect(content).toEqual({ fail: 0, slowMs: 0, away: false, redelivered: 2 });
    expect(redelivered).toEqual([5]);
  });

  it('gives none again where no function is on the stream', async () => {
    const { eventBridge } = control;
    control = { eventBridge };
    expect((await fault('{"redeliver":5}')).content).toMatchObject({ redelivered: 0 });
  });

  it.each([
    ['{"fial":1}', 'there is no fault "fial"; there are: fail, redeliver, slowMs, away'],
    ['{"toString":1}', 'there is no fault "toString"'],
    ['{"fail":-1}', 'fail must be a whole number of entries'],
    ['{"redeliver":"2"}', 'redeliver must be a whole number of records'],
    ['{"slowMs":600001}', 'slowMs must be whole milliseconds, at most 600000'],
    ['{"away":1}', 'away must be true or false'],
    ['[]', 'the body must be an object'],
    ['null', 'the body must be an object'],
  ])('refuses %s and changes nothing', async (body, message) => {
    const { statusCode, content } = await fault(body);
    expect(statusCode).toBe(400);
    expect(content).toMatchObject({ error: { code: 'INVALID_FAULT' } });
    expect(JSON.stringify(content)).toContain(JSON.stringify(message).slice(1, -1));
    expect(control.eventBridge.faults).toEqual({ fail: 0, slowMs: 0, away: false });
    expect(redelivered).toEqual([]);
  });

  it('changes nothing when one field of several is wrong', async () => {
    expect((await fault('{"fail":2,"wrong":1}')).statusCode).toBe(400);
    expect(control.eventBridge.faults.fail).toBe(0);
  });

  it('answers 400, 404 and 405 as the other commands do', async () => {
    expect(await fault('{')).toMatchObject({
      statusCode: 400,
      content: { error: { code: 'INVALID_JSON', message: 'the body is not valid JSON' } },
    });
    expect((await send('GET', '/_local/events/others')).statusCode).toBe(404);
    expect((await send('POST', '/_local/events')).statusCode).toBe(405);
    expect((await send('GET', '/_local/events/faults')).statusCode).toBe(405);
  });
});
