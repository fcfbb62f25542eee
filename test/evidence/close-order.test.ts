import { beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, WechatPayTransportError } from '../../lib/errors.ts';
import { closeAndRecord } from '../../lib/evidence/close-order.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { readOrder } from '../../lib/table/orders.ts';
import type { Order } from '../../lib/order/order.ts';
import type { CloseResult, QueryResult } from '../../lib/wechatpay/operations.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const unpaid: QueryResult = { kind: 'not-paid', tradeState: 'NOTPAY' };
const closedThere: QueryResult = { kind: 'not-paid', tradeState: 'CLOSED' };
const paid: QueryResult = { kind: 'paid', refunded: false, payment: samplePayment() };
const unknown: QueryResult = { kind: 'not-found' };
const lost = new WechatPayTransportError('unknown', 'no answer in time');

const say = async <T>(word: T | Error): Promise<T> => {
  if (word instanceof Error) {
    throw word;
  }
  return word;
};

/** Closes the sample order; WeChat says one thing to the close and one to the query. */
async function close(
  toClose: CloseResult | Error,
  toQuery: QueryResult | Error,
  { at = 400, ...changes }: Partial<Order> & { readonly at?: number } = {},
) {
  await createOrder(table, sampleOrder());
  const order = sampleOrder(changes);
  const log = recordingLog();
  const calls: unknown[] = [];
  const wechatPay = {
    closeOrder: (...input: unknown[]) => {
      calls.push(['close', ...input]);
      return say(toClose);
    },
    queryOrder: (...input: unknown[]) => {
      calls.push(['query', ...input]);
      return say(toQuery);
    },
  };
  const nowMs = () => (CREATED_AT + at) * 1000;
  const context = {
    table,
    wechatPay: () => wechatPay,
    log,
    nowMs,
    paymentAfterClose: 'keep',
  } as const;
  const ending = await closeAndRecord(context, order, {
    timeoutMs: 1_234,
  }).catch((error: unknown) => ({ failed: error }));
  const { tradeState } = (await readOrder(table, orderId('order-0001'))) ?? {};
  return { ending, tradeState, calls, order, log };
}

describe('closing an order that WeChat refuses for what the owner must mend', () => {
  const wrongKey = new ConfigError('apiV2Key is not the key', undefined, { field: 'apiV2Key' });

  test.each([
    [paid, 'SUCCESS'],
    [closedThere, 'CLOSED'],
  ])('records what the query shows, and tells the fault: %j', async (word, state) => {
    const { tradeState, log } = await close(wrongKey, word);

    expect(tradeState).toBe(state);
    expect(log.counts).toMatchObject({ ConfigError: 1 });
    expect(log.lines[0]).toMatchObject({
      level: 'warn',
      fields: { outTradeNo: 'order-0001', code: 'CONFIG_ERROR', field: 'apiV2Key' },
    });
  });

  test.each([unknown, unpaid])('closes nothing that the query does not: %j', async (word) => {
    const { ending, tradeState, log } = await close(wrongKey, word);

    expect([ending, tradeState, log.counts]).toEqual([{ failed: wrongKey }, 'NOTPAY', {}]);
  });

  test('closes nothing when the query is refused as well', async () => {
    const { ending, tradeState } = await close('closed', wrongKey);

    expect([ending, tradeState]).toEqual([{ failed: wrongKey }, 'NOTPAY']);
  });

  test('counts no other failure of the close', async () => {
    const { log } = await close(lost, closedThere);

    expect(log.counts).toEqual({ OrderClosed: 1 });
    expect(log.messages('warn')).toEqual([]);
  });
});

describe('closing an order', () => {
  test('asks WeChat to close it, then what it is, each within the time given', async () => {
    const { calls, order } = await close('closed', closedThere);

    expect(calls).toEqual([
      ['close', order, { timeoutMs: 1_234 }],
      ['query', order, { timeoutMs: 1_234 }],
    ]);
  });

  test.each<[string, CloseResult | Error, QueryResult]>([
    ['both say so', 'closed', closedThere],
    ['it was closed all along, though the close is lost', lost, closedThere],
    ['WeChat never heard of it', 'not-found', unknown],
    ['WeChat closes a number that never existed', 'closed', unknown],
  ])('ends with a closed one when %s', async (_, toClose, toQuery) => {
    const { ending, tradeState, log } = await close(toClose, toQuery);

    expect(ending).toMatchObject({
      evidence: { kind: 'closed' },
      decision: { kind: 'apply', to: 'CLOSED' },
    });
    expect(tradeState).toBe('CLOSED');
    expect(log.counts).toEqual({ OrderClosed: 1 });
  });

  test.each<[CloseResult | Error]>([['already-paid'], ['closed'], [lost]])(
    'ends with a paid one when a payment won the race, whatever the close said: %s',
    async (toClose) => {
      const { ending, tradeState } = await close(toClose, paid);

      expect(ending).toMatchObject({ evidence: paid, decision: { kind: 'apply', to: 'SUCCESS' } });
      expect(tradeState).toBe('SUCCESS');
    },
  );

  test.each<[CloseResult, QueryResult]>([
    ['closed', unpaid],
    ['paying', unpaid],
    ['paying', unknown],
    ['already-paid', unknown],
    ['not-found', unpaid],
  ])('leaves it open when nothing is certain: %s, %j', async (toClose, toQuery) => {
    expect(await close(toClose, toQuery)).toMatchObject({
      ending: undefined,
      tradeState: 'NOTPAY',
    });
  });

  test('fails as the close did when the query shows no end', async () => {
    expect(await close(lost, unpaid)).toMatchObject({
      ending: { failed: lost },
      tradeState: 'NOTPAY',
    });
    table = await newTable();
    expect(await close(lost, unknown)).toMatchObject({
      ending: { failed: lost },
      tradeState: 'NOTPAY',
    });
  });

  test('fails when the query does: nothing is closed on the close’s word alone', async () => {
    expect(await close('closed', lost)).toMatchObject({
      ending: { failed: lost },
      tradeState: 'NOTPAY',
    });
  });
});

describe('closing an order that WeChat refuses to close for its age', () => {
  const names = (calls: readonly unknown[]) => calls.map((call) => (call as [string])[0]);

  test.each<[string, QueryResult, object]>([
    ['leaves it open when it is unpaid', unpaid, { ending: undefined, tradeState: 'NOTPAY' }],
    ['records that it is paid', paid, { tradeState: 'SUCCESS' }],
    ['records that it is closed', closedThere, { tradeState: 'CLOSED' }],
  ])('only asks what it is, and %s', async (_, toQuery, outcome) => {
    const closed = await close('closed', toQuery, { at: 299 });

    expect(closed).toMatchObject(outcome);
    expect(names(closed.calls)).toEqual(['query']);
  });

  test.each<[CloseResult | Error, string]>([
    ['not-found', 'CLOSED'],
    ['already-paid', 'NOTPAY'],
    [lost, 'NOTPAY'],
  ])('asks to close what WeChat does not know, which says %s: %s', async (toClose, tradeState) => {
    const closed = await close(toClose, unknown, { at: 299 });

    expect(closed.tradeState).toBe(tradeState);
    expect(names(closed.calls)).toEqual(['query', 'close']);
  });
});

describe('closing an order that WeChat does not know', () => {
  const closingAtEpochSeconds = CREATED_AT + 340;

  test('waits for a minute after it was given up: its prepay may be on its way', async () => {
    const early = await close('not-found', unknown, { at: 399, closingAtEpochSeconds });

    expect(early).toMatchObject({ ending: undefined, tradeState: 'NOTPAY' });
    table = await newTable();
    const late = await close('not-found', unknown, { at: 400, closingAtEpochSeconds });
    expect(late).toMatchObject({ tradeState: 'CLOSED' });
  });

  test('and is too young spares WeChat the close until that minute is over', async () => {
    const { calls } = await close('not-found', unknown, {
      at: 69,
      closingAtEpochSeconds: CREATED_AT + 10,
    });

    expect(calls).toHaveLength(1);
  });
});
