import { describe, expect, it } from 'vitest';
import { listDeliveries } from '../../../simulator/page/browser/event-deliveries.ts';
import { toExchanges } from '../../../simulator/page/browser/exchanges.ts';
import type { LocalMessage } from '../../../simulator/page/browser/messages.ts';

interface Call {
  readonly entries: readonly string[];
  readonly status?: number;
  readonly body?: object | string;
}

const TAKEN = { EventId: 'x' };
const REFUSED = { ErrorCode: 'InternalFailure', ErrorMessage: 'on request' };

const detailOf = (eventId: string) => {
  const [outTradeNo, , last] = [...eventId.split('.', 1), '', eventId.split('.').at(-1)];
  return JSON.stringify({ eventId, sequence: Number(last), outTradeNo });
};

/** A run of publish and the call in it; without a status: not answered. */
function publish(id: number, { entries, status, body }: Call, hasEnded = true): LocalMessage[] {
  const shared = {
    time: '2026-11-25T08:00:00.000Z',
    functionName: 'publish',
    invocationId: `publish-${id}`,
    request: { headers: {}, body: '{"Records":[]}' },
  };
  const Entries = entries.map((eventId) => ({
    DetailType: 'Order Paid',
    Detail: detailOf(eventId),
  }));
  const run = { ...shared, id, epochMs: id, from: 'tool', to: 'api', method: 'INVOKE' } as const;
  const call = { ...shared, id: id + 1, epochMs: id + 1, from: 'api', to: 'event-bus' } as const;
  const answer = (code: number, content: object | string) => ({
    durationMs: 5,
    response: { status: code, headers: {}, body: JSON.stringify(content) },
  });
  return [
    { ...run, path: 'publish', ...(hasEnded && answer(200, {})) },
    {
      ...call,
      method: 'PutEvents',
      path: '/',
      request: { headers: {}, body: JSON.stringify({ Entries }) },
      ...(status !== undefined && answer(status, body ?? {})),
    },
  ];
}

const taken = (id: number, ...entries: string[]) =>
  publish(id, { entries, status: 200, body: { Entries: entries.map(() => TAKEN) } });
const told = (messages: readonly LocalMessage[]) =>
  listDeliveries(messages).map(({ eventId, result, count }) => [eventId, result, count]);

describe('the deliveries of events', () => {
  it('are one for each entry of a call, with what it says', () => {
    const [first, second, ...others] = listDeliveries(taken(1, 'A1.1', 'A2.R1.3'));

    expect(first).toMatchObject({ eventId: 'A1.1', sequence: 1, outTradeNo: 'A1', outcome: 'ok' });
    expect(second).toMatchObject({ eventId: 'A2.R1.3', sequence: 3, detailType: 'Order Paid' });
    expect(first?.endMs).toBe(7);
    expect(others).toEqual([]);
  });

  it('tell a first time from a repeat, whatever came between', () => {
    const messages = [...taken(1, 'A1.1'), ...taken(3, 'A2.1'), ...taken(5, 'A1.1', 'A2.1')];

    expect(told([...messages, ...taken(7, 'A1.1')])).toEqual([
      ['A1.1', 'taken', 1],
      ['A2.1', 'taken', 1],
      ['A1.1', 'taken again', 2],
      ['A2.1', 'taken again', 1],
    ]);
  });

  it('are one while they end the same way again and again', () => {
    const away = (id: number) => publish(id, { entries: ['A1.1'], status: 503 });
    const messages = [...away(1), ...away(3), ...away(5), ...taken(7, 'A1.1')];
    const [waiting, arrived] = listDeliveries(messages);

    expect(waiting).toMatchObject({ result: 'away', outcome: 'failed', count: 3, startMs: 2 });
    expect(waiting?.last.id).toBe(6);
    expect(waiting?.key).not.toBe(arrived?.key);
    expect(arrived).toMatchObject({ result: 'taken', count: 1 });
  });

  it('say which entry of a call was refused, and in which words', () => {
    const body = { FailedEntryCount: 1, Entries: [TAKEN, REFUSED] };
    const [first, second] = listDeliveries(
      publish(1, { entries: ['A1.1', 'A1.2'], status: 200, body }),
    );

    expect(first).toMatchObject({ result: 'taken', reason: undefined });
    expect(second).toMatchObject({ result: 'refused', reason: 'InternalFailure: on request' });
  });

  it('say whether an answer may still come', () => {
    const call = { entries: ['A1.1'] };

    expect(told(publish(1, call, false))).toEqual([['A1.1', '', 1]]);
    expect(told(publish(1, call))).toEqual([['A1.1', 'no answer', 1]]);
  });

  it('are none of a call that cannot be read', () => {
    const [run, call] = taken(1, 'A1.1') as [LocalMessage, LocalMessage];

    expect(told([run, { ...call, request: { headers: {}, body: '{"Entries":[{"Det' } }])).toEqual(
      [],
    );
  });
});

describe('the diagram', () => {
  it('has events in place of the calls and of the runs that made them', () => {
    const refunded = 'cc091c034602ff4e2b5bb16f7c80d874.refund-number-1.2';
    const exchanges = toExchanges({ wechat: [], local: taken(1, 'A1.1', refunded) });

    expect(exchanges.map(({ from, to, label, result }) => [from, to, label, result])).toEqual([
      ['api', 'bus', 'Order Paid A1.1', 'taken'],
      ['api', 'bus', 'Order Paid cc091c….refund….2', 'taken'],
    ]);
  });

  it('shows a run that could not read a row, and one that failed', () => {
    const log = [{ level: 'ERROR', message: 'a row tells what cannot be read; it is passed over' }];
    const [unreadable] = publish(1, { entries: [] }) as [LocalMessage];
    const [failed] = publish(3, { entries: [] }) as [LocalMessage];
    const response = { status: 500, headers: {}, body: '{}' };
    const local = [
      { ...unreadable, log },
      { ...failed, response },
    ];

    expect(toExchanges({ wechat: [], local }).map(({ key }) => key)).toEqual([
      'local-1',
      'local-3',
    ]);
  });
});
