import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../simulator/page/browser/exchanges.ts';
import type { LocalMessage, WechatMessage } from '../../../simulator/page/browser/messages.ts';
import {
  type ArchivedNotice,
  explainSilence,
  listNotices,
  type Notice,
} from '../../../simulator/page/browser/notices.ts';
import { countAwaited, listPublished } from '../../../simulator/page/browser/published-events.ts';

const AT = '2026-11-25T08:00:00.100Z';
const ROW: ArchivedNotice = {
  SK: `NOTIFICATION#${AT}#n1`,
  id: 'n1',
  receivedAt: AT,
  kind: 'payment',
  decision: 'apply',
  from: 'NOTPAY',
  to: 'SUCCESS',
  answer: 200,
  message: '{"total_fee":"2800"}',
};

const part = (body: string) => ({ headers: {}, body });
const exchange = (id: number, more: Partial<Exchange>): Exchange => ({
  key: `local-${id}`,
  startMs: id,
  endMs: id + 1,
  time: AT,
  from: 'wechat',
  to: 'api',
  label: '',
  outcome: 'ok',
  result: '',
  outTradeNo: 'A1',
  ...more,
});
const local = (id: number, more: Partial<LocalMessage>): LocalMessage => ({
  id,
  time: AT,
  epochMs: id,
  from: 'wechat',
  to: 'api',
  functionName: 'notify',
  invocationId: `notify-${id}`,
  method: 'POST',
  path: '/notify/v2/payment',
  request: part('<xml></xml>'),
  ...more,
});
const arrived = (id: number, status: number, body: string, more: Partial<LocalMessage> = {}) =>
  exchange(id, { local: local(id, { response: { status, ...part(body) }, ...more }) });
const OK = '<xml><return_code>SUCCESS</return_code><return_msg>OK</return_msg></xml>';

/** The write of the call that got the notification. */
const write = (id: number, invocationId: string, outcome: Exchange['outcome'] = 'ok') =>
  exchange(id, {
    from: 'api',
    to: 'table',
    outcome,
    local: local(id, {
      from: 'api',
      to: 'table',
      invocationId,
      request: part(
        `{":notification":{"M":{"key":{"S":"${AT}#n1"},"decision":{"S":"apply"},"id":{"S":"n1"}}}}`,
      ),
    }),
  });

describe('what WeChat sent and what we said', () => {
  it('brings message, decision, answer and archive together', () => {
    const [notice, ...others] = listNotices([ROW], [arrived(1, 200, OK), write(2, 'notify-1')]);

    expect(others).toEqual([]);
    expect(notice).toEqual({
      at: AT,
      kind: 'payment',
      id: 'n1',
      decision: 'apply',
      from: 'NOTPAY',
      to: 'SUCCESS',
      answer: 200,
      words: 'SUCCESS OK',
      reason: undefined,
      isArchived: true,
      message: '{"total_fee":"2800"}',
      exchangeKey: 'local-1',
    });
  });

  it('tells which of two equal messages was the one that was recorded', () => {
    const messages = [
      arrived(1, 200, OK),
      arrived(2, 200, OK),
      write(3, 'notify-1', 'refused'),
      write(4, 'notify-2'),
    ];

    expect(listNotices([ROW], messages).map(({ decision }) => decision)).toEqual([
      'duplicate',
      'apply',
    ]);
  });

  it('knows what was decided before the archive has it', () => {
    const [notice] = listNotices([], [arrived(1, 200, OK), write(2, 'notify-1')]);

    expect(notice).toMatchObject({ decision: 'apply', id: 'n1', isArchived: false });
  });

  it('sees a message go into the archive that nobody lists', () => {
    const put = local(3, {
      from: 'api',
      functionName: 'publish',
      request: part(`{"Item":{"SK":{"S":"NOTIFICATION#${AT}#n1"}}}`),
    });
    const messages = [
      arrived(1, 404, OK),
      write(2, 'notify-1'),
      exchange(3, { from: 'api', to: 'table', local: put }),
    ];

    expect(listNotices([], messages)).toMatchObject([{ id: 'n1', isArchived: true }]);
  });

  it('has what was refused and what failed, with the reason that was logged', () => {
    const FAIL =
      '<xml><return_code>FAIL</return_code><return_msg>SIGNATURE_INVALID</return_msg></xml>';
    const log = [
      { level: 'INFO', message: 'begun' },
      { level: 'WARN', message: 'notification refused', code: 'C', reason: 'sign matches none' },
    ];
    const v3 = { path: '/notify/v3/refund', request: part('{"id":"EV-1","resource":{}}') };
    const messages = [
      arrived(1, 401, FAIL, { log }),
      arrived(2, 503, '{"code":"FAIL","message":"again"}', v3),
    ];

    expect(listNotices([], messages)).toMatchObject([
      {
        kind: 'payment',
        decision: 'refused',
        answer: 401,
        words: 'FAIL SIGNATURE_INVALID',
        reason: 'sign matches none',
      },
      { kind: 'refund', decision: 'failed', answer: 503, words: 'FAIL again', id: 'EV-1' },
    ]);
  });

  it('has what never arrived, and what an earlier run of the stack archived', () => {
    const wechat = {
      kind: 'notify',
      path: 'http://127.0.0.1/notify/v2/payment',
      request: part(''),
      note: 'lost',
    } as WechatMessage;
    const messages = [exchange(1, { wechat, time: '2026-11-25T09:00:00Z' })];

    expect(listNotices([ROW], messages)).toMatchObject([
      { decision: 'apply', isArchived: true, answer: 200, at: AT },
      { decision: 'lost', isArchived: false, answer: undefined, reason: 'lost' },
    ]);
  });
});

describe('silence', () => {
  const row = (tradeState: string) => ({ tradeState });
  const notice = (answer: number | undefined, kind: Notice['kind'] = 'payment') =>
    ({ kind, answer }) as Notice;

  it.each([
    [[], 'NOTPAY', 'NOTPAY', 'silentUnpaid'],
    [[], 'NOTPAY', 'SUCCESS', 'silentPaidThere'],
    [[], 'SUCCESS', 'SUCCESS', 'silentPaidHere'],
    [[], 'REFUND', 'REFUND', 'silentPaidHere'],
    [[], 'CLOSED', 'CLOSED', 'silentClosed'],
    [[], 'CLOSED', 'SUCCESS', 'silentPaidThere'],
    [[notice(undefined)], 'NOTPAY', 'SUCCESS', 'silentPaidThere'],
    [[notice(200, 'refund')], 'SUCCESS', 'SUCCESS', 'silentPaidHere'],
    [[notice(401)], 'NOTPAY', 'SUCCESS', 'onlyRefused'],
    [[notice(401)], 'SUCCESS', 'SUCCESS', 'onlyRefusedPaid'],
    [[notice(401), notice(200)], 'SUCCESS', 'SUCCESS', undefined],
    [[notice(204)], 'SUCCESS', 'SUCCESS', undefined],
  ] as const)('of %j while it is %s here and %s there is %s', (notices, here, there, silence) => {
    expect(explainSilence(notices, row(here), there)).toBe(silence);
  });

  it('of an order that the table has not is told apart', () => {
    expect(explainSilence([], undefined, 'NOTPAY')).toBe('silentUnknown');
    expect(explainSilence([notice(404)], undefined, 'SUCCESS')).toBeUndefined();
  });
});

describe('the events of an order', () => {
  const stored = (id: number, eventId: string, sequence: number) => ({
    id,
    time: AT,
    detailType: 'Order Paid',
    detail: { eventId, sequence },
  });

  it('are listed once each, with how often they were taken', () => {
    const events = [stored(1, 'A1.1', 1), stored(2, 'A1.R1.1', 1), stored(5, 'A1.1', 1)];
    const published = listPublished(events);

    expect(published.map(({ eventId, times, event }) => [eventId, times, event.id])).toEqual([
      ['A1.1', 2, 1],
      ['A1.R1.1', 1, 2],
    ]);
    const refund = { outRefundNo: 'R1', refundFen: 1, status: 'PENDING', factCount: 2 } as const;
    expect(countAwaited({ tradeState: 'SUCCESS', factCount: 1 }, [refund], published)).toBe(1);
    expect(countAwaited({ tradeState: 'NOTPAY' }, [], [])).toBe(0);
  });
});
