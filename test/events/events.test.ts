/** From the images of a row to what is told of it. */
import { describe, expect, test } from 'vitest';
import { allEvents, newEvents } from '../../lib/events/events.ts';
import type { Item } from '../../lib/table/attributes.ts';
import {
  AT,
  attributes,
  factOf,
  openOrderRow,
  paidOrderRow,
  refundRow,
  TRANSACTION_ID,
  unknownPaymentRow,
  withFacts,
} from '../support/fact-rows.ts';
import { problemsOf } from '../support/event-schemas.ts';
import { APPID, MCHID, OPENID } from '../support/sample-orders.ts';

const PAID = attributes({
  tradeState: 'SUCCESS',
  transactionId: TRANSACTION_ID,
  paidAt: '2026-03-01T02:00:04Z',
});

/** What a row tells in all, without the JSON around it; each as its schema has it. */
const told = (row: Item) =>
  allEvents(row).events.map(({ detailType, detail }) => {
    const said = JSON.parse(detail) as object;
    expect(problemsOf(detailType, said)).toEqual([]);
    return { detailType, ...said };
  });

const order = {
  outTradeNo: 'order-0001',
  mchid: MCHID,
  appid: APPID,
  attach: 'basket-7',
  totalFen: 2800,
  currency: 'CNY',
};
const goods = {
  description: '拿铁',
  kind: 'physical',
  items: [{ sku: 'latte', quantity: 2, unitFen: 1400, kind: 'physical' }],
};

describe('an order', () => {
  test('that is paid tells what was paid, for what and by which payment', () => {
    const { events, unreadable } = newEvents(paidOrderRow(), openOrderRow());

    expect(unreadable).toEqual([]);
    expect(events).toEqual([
      {
        eventId: 'order-0001.1',
        detailType: 'Order Paid',
        factType: 'PAID',
        recordedAt: AT,
        detail: JSON.stringify({
          eventId: 'order-0001.1',
          sequence: 1,
          recordedAt: AT,
          ...order,
          ...goods,
          transactionId: TRANSACTION_ID,
          paidAt: '2026-03-01T02:00:04Z',
          tradeState: 'SUCCESS',
          bankType: 'OTHERS',
        }),
      },
    ]);
  });

  test('that is first seen as refunded was paid all the same', () => {
    const row = withFacts(
      openOrderRow({ ...PAID, tradeState: { S: 'REFUND' } }),
      factOf('PAID', attributes({ tradeState: 'REFUND' })),
    );

    expect(told(row)).toMatchObject([{ detailType: 'Order Paid', tradeState: 'REFUND' }]);
  });

  test('that is closed tells what nobody bought', () => {
    const row = withFacts(openOrderRow({ tradeState: { S: 'CLOSED' } }), factOf('CLOSED'));

    expect(told(row)).toEqual([
      {
        detailType: 'Order Closed',
        eventId: 'order-0001.1',
        sequence: 1,
        recordedAt: AT,
        ...order,
        ...goods,
      },
    ]);
  });

  test('that could not be settled tells what the last attempt came to', () => {
    const row = withFacts(
      openOrderRow(),
      factOf('UNSETTLED', attributes({ reason: 'CONFIG_ERROR' })),
    );

    expect(told(row)).toEqual([
      {
        detailType: 'Order Unsettled',
        eventId: 'order-0001.1',
        sequence: 1,
        recordedAt: AT,
        ...order,
        ...goods,
        cause: 'CONFIG_ERROR',
      },
    ]);
  });

  test('that is paid after it was closed tells what becomes of the money, and is no paid order', () => {
    const row = withFacts(
      openOrderRow({ ...PAID, paidAfterClose: { BOOL: true } }),
      factOf('CLOSED'),
      factOf(
        'PAID_AFTER_CLOSE',
        attributes({ tradeState: 'SUCCESS', paymentAfterClose: 'refund' }),
      ),
    );

    expect(told(row)).toMatchObject([
      { detailType: 'Order Closed', eventId: 'order-0001.1', sequence: 1 },
      {
        detailType: 'Payment After Close',
        eventId: 'order-0001.2',
        sequence: 2,
        transactionId: TRANSACTION_ID,
        paymentAfterClose: 'refund',
        tradeState: 'SUCCESS',
      },
    ]);
  });

  const mismatch = (values: Readonly<Record<string, string>>) =>
    withFacts(
      openOrderRow(),
      factOf('MISMATCH', {
        ...attributes({ digest: 'd', transactionId: 'other', totalFen: 1, ...values }),
      }),
    );

  test('that a payment contradicts tells both sides, as the row has them', () => {
    const row = mismatch({ field: 'totalFen', expected: '2800', observed: '1' });

    expect(told(row)).toEqual([
      {
        detailType: 'Payment Mismatch',
        eventId: 'order-0001.1',
        sequence: 1,
        recordedAt: AT,
        ...order,
        ...goods,
        transactionId: 'other',
        paymentFen: 1,
        field: 'totalFen',
        expected: '2800',
        observed: '1',
      },
    ]);
  });

  test('that another buyer paid names neither of them', () => {
    const row = mismatch({ field: 'openid', expected: OPENID, observed: 'oAnother' });
    const [event] = allEvents(row).events;

    expect(event?.detail).toContain('"field":"openid"');
    expect(event?.detail).not.toMatch(/expected|observed|oUpF8|oAnother/);
  });

  test.each([
    ['1772330404', '2026-03-01T02:00:04Z'],
    ['-1', '1969-12-31T23:59:59Z'],
    ['not a time', 'not a time'],
  ])('whose payment has the wrong time %s says it as every other time: %s', (observed, said) => {
    const row = mismatch({ field: 'paidAtEpochSeconds', expected: '1772330400', observed });

    expect(told(row)).toMatchObject([
      { field: 'paidAt', expected: '2026-03-01T02:00:00Z', observed: said },
    ]);
  });

  test('of which more was refunded than is known tells which refund', () => {
    const row = withFacts(
      paidOrderRow(),
      factOf('PAID', attributes({ tradeState: 'SUCCESS' })),
      factOf(
        'REFUND_MISMATCH',
        attributes({
          digest: 'd',
          outRefundNo: 'console-1',
          refundFen: 700,
          field: 'currency',
          expected: 'CNY',
          observed: 'USD',
        }),
      ),
    );

    expect(told(row)[1]).toEqual({
      detailType: 'Refund Mismatch',
      eventId: 'order-0001.2',
      sequence: 2,
      recordedAt: AT,
      ...order,
      outRefundNo: 'console-1',
      refundFen: 700,
      field: 'currency',
      expected: 'CNY',
      observed: 'USD',
    });
  });

  test.each([
    ['of a quote for services', { kind: { S: 'service' } }, [], 'service'],
    ['of a virtual line and a physical one', {}, ['virtual', undefined], 'physical'],
    ['of services and virtual lines', {}, ['service', 'virtual'], 'service'],
    ['of virtual lines', {}, ['virtual'], 'virtual'],
    ['without lines', {}, [], 'physical'],
  ])('%s says whether there is something to ship', (_, changes, kinds, kind) => {
    const items = kinds.map((each) => ({
      M: attributes({ sku: 'a', quantity: 1, unitFen: 1, ...(each && { kind: each }) }),
    }));
    const row = paidOrderRow({ ...changes, items: { L: items } });

    expect(told(row)).toMatchObject([{ kind }]);
  });

  test('of a sub-merchant and without attach or lines has only what there is', () => {
    const { attach: _attach, items: _items, bankType: _bank, ...row } = paidOrderRow();
    const [event] = told({ ...row, subMchid: { S: '1900000110' } });

    expect(event).toMatchObject({ subMchid: '1900000110' });
    expect(Object.keys(event ?? {})).toEqual(
      expect.not.arrayContaining(['attach', 'items', 'bankType', 'merchantKey']),
    );
  });

  test('of another merchant is named with its merchant in front', () => {
    const row = paidOrderRow({ PK: { S: 'ORDER#shop2#order-0001' } });

    expect(told(row)).toMatchObject([{ eventId: 'shop2.order-0001.1', merchantKey: 'shop2' }]);
  });
});

describe('a refund', () => {
  const refund = {
    outTradeNo: 'order-0001',
    mchid: MCHID,
    appid: APPID,
    attach: 'basket-7',
    totalFen: 2800,
    currency: 'CNY',
    transactionId: TRANSACTION_ID,
    outRefundNo: 'refund-0001',
    refundFen: 1400,
    source: 'API',
    reason: '洒了',
    createdAt: '2026-03-02T03:00:00Z',
  };
  const requested = factOf('REQUESTED');

  test('that is asked for tells how much and why', () => {
    expect(told(withFacts(refundRow(), requested))).toEqual([
      {
        detailType: 'Refund Requested',
        eventId: 'order-0001.refund-0001.1',
        sequence: 1,
        recordedAt: AT,
        ...refund,
      },
    ]);
  });

  test.each([
    [
      'succeeds',
      factOf('SUCCEEDED', attributes({ refundId: '5030', succeededAt: '2026-03-02T03:00:07Z' })),
      {
        detailType: 'Refund Succeeded',
        status: 'SUCCESS',
        refundId: '5030',
        succeededAt: '2026-03-02T03:00:07Z',
      },
    ],
    [
      'WeChat refuses',
      factOf('CLOSED', {
        failure: { M: attributes({ code: 'USER_ACCOUNT_ABNORMAL', message: '用户账户注销' }) },
      }),
      {
        detailType: 'Refund Failed',
        status: 'CLOSED',
        failure: { code: 'USER_ACCOUNT_ABNORMAL', message: '用户账户注销' },
      },
    ],
    ['WeChat closes', factOf('CLOSED'), { detailType: 'Refund Failed', status: 'CLOSED' }],
    [
      'cannot reach the buyer',
      factOf('ABNORMAL', attributes({ refundId: '5030', round: 2 })),
      { detailType: 'Refund Failed', status: 'ABNORMAL', refundId: '5030', round: 2 },
    ],
    [
      'is contradicted',
      factOf(
        'MISMATCH',
        attributes({ digest: 'd', field: 'refundFen', expected: '1400', observed: '1500' }),
      ),
      {
        detailType: 'Refund Mismatch',
        field: 'refundFen',
        expected: '1400',
        observed: '1500',
      },
    ],
  ])('that %s tells so after its request', (_, fact, said) => {
    expect(told(withFacts(refundRow(), requested, fact))[1]).toEqual({
      eventId: 'order-0001.refund-0001.2',
      sequence: 2,
      recordedAt: AT,
      ...refund,
      ...said,
    });
  });

  test('of the longest numbers of another merchant has a name that a FIFO queue takes', () => {
    const row = refundRow({
      PK: { S: `ORDER#${'m'.repeat(16)}#${'o'.repeat(32)}` },
      SK: { S: `REFUND#${'_-|*@'.padEnd(64, 'r')}` },
    });
    const [event] = allEvents(withFacts(row, requested)).events;

    expect(event?.eventId).toMatch(/^m{16}\.o{32}\._-\|\*@r{59}\.1$/);
    expect(event?.eventId.length).toBeLessThanOrEqual(128);
  });
});

describe('a payment of no order', () => {
  test('tells the number that nobody here knows', () => {
    expect(told(unknownPaymentRow())).toEqual([
      {
        detailType: 'Payment Mismatch',
        eventId: `unknown.${TRANSACTION_ID}.1`,
        sequence: 1,
        recordedAt: AT,
        outTradeNo: 'elsewhere-1',
        mchid: MCHID,
        appid: APPID,
        totalFen: 500,
        currency: 'CNY',
        transactionId: TRANSACTION_ID,
        paymentFen: 500,
        paidAt: '2026-03-01T02:00:04Z',
        field: 'outTradeNo',
        observed: 'elsewhere-1',
      },
    ]);
  });

  test('to another merchant names the merchant', () => {
    expect(told(unknownPaymentRow({ merchantKey: { S: 'shop2' } }))).toMatchObject([
      { eventId: `shop2.unknown.${TRANSACTION_ID}.1`, merchantKey: 'shop2' },
    ]);
  });
});

describe('what is new', () => {
  const closed = factOf('CLOSED');
  const late = factOf(
    'PAID_AFTER_CLOSE',
    attributes({ tradeState: 'SUCCESS', paymentAfterClose: 'keep' }),
  );
  const row = withFacts(openOrderRow(PAID), closed, late);

  test.each([
    ['since a row with fewer facts', withFacts(openOrderRow(), closed), ['order-0001.2']],
    ['since a row without facts', openOrderRow(), ['order-0001.1', 'order-0001.2']],
    ['in a row that was not there', undefined, ['order-0001.1', 'order-0001.2']],
    ['in a row with the same facts', row, []],
    ['since a row with more', withFacts(row, closed, late, late), []],
  ])('%s is named by its place among all', (_, before, ids) => {
    expect(newEvents(row, before).events.map(({ eventId }) => eventId)).toEqual(ids);
  });

  test('in an open order, and in a row of another kind without facts, is nothing', () => {
    expect(newEvents(openOrderRow(), openOrderRow())).toEqual({ events: [], unreadable: [] });
    expect(allEvents(attributes({ PK: 'BALANCE', SK: 'BALANCE' }))).toEqual({
      events: [],
      unreadable: [],
    });
  });
});

describe('what cannot be read', () => {
  const name = 'the row ORDER#order-0001 ORDER cannot be read: ';
  const closed = factOf('CLOSED');

  test.each<[string, Item, string]>([
    ['facts that are no list', { ...openOrderRow(), facts: { S: 'x' } }, 'no list attribute facts'],
    [
      'a fact without a time',
      withFacts(openOrderRow(), { M: attributes({ type: 'CLOSED' }) }),
      'no text attribute at',
    ],
    ['a time that is none', withFacts(openOrderRow(), factOf('CLOSED', {}, 'noon')), 'a time'],
    ['a fact that is no map', withFacts(openOrderRow(), { S: 'CLOSED' }), 'attribute at'],
    ['a fact of an unknown type', withFacts(openOrderRow(), factOf('EATEN')), 'a fact EATEN'],
    [
      'a line that is none',
      withFacts(openOrderRow({ items: { L: [null as never] } }), closed),
      'Cannot read properties of null',
    ],
    [
      'a missing amount',
      withFacts({ ...openOrderRow(), totalFen: { S: '1' } }, closed),
      'totalFen',
    ],
    [
      'an unknown state',
      withFacts(openOrderRow(PAID), factOf('PAID', attributes({ tradeState: 'MAYBE' }))),
      'tradeState',
    ],
  ])('is named: %s', (_, row, problem) => {
    const { events, unreadable } = newEvents(row, undefined);

    expect(events).toEqual([]);
    expect(unreadable.map(({ message }) => message)).toEqual([expect.stringContaining(problem)]);
    expect(unreadable[0]?.message).toContain(name);
  });

  test("hides none of the row's other facts", () => {
    const row = withFacts(openOrderRow(), factOf('EATEN'), closed);

    expect(newEvents(row, undefined)).toMatchObject({
      events: [{ eventId: 'order-0001.2', detailType: 'Order Closed' }],
      unreadable: [{ parameters: { row: 'ORDER#order-0001 ORDER', attribute: 'facts' } }],
    });
  });

  test.each<[string, Item]>([
    ['a row without keys', withFacts({}, closed)],
    [
      'a row of a kind that has no facts',
      withFacts(attributes({ PK: 'BALANCE', SK: 'B' }), closed),
    ],
  ])('may be %s', (_, row) => {
    expect(newEvents(row, undefined)).toMatchObject({ events: [], unreadable: [{}] });
  });
});

describe('a row of before there were facts', () => {
  test.each<[string, Item, object[]]>([
    ['an open order', openOrderRow(), []],
    [
      'a paid order',
      openOrderRow(PAID),
      [{ detailType: 'Order Paid', eventId: 'order-0001.0', tradeState: 'SUCCESS' }],
    ],
    [
      'a refunded order',
      openOrderRow({ ...PAID, tradeState: { S: 'REFUND' } }),
      [{ detailType: 'Order Paid', tradeState: 'SUCCESS', recordedAt: '2026-03-01T02:00:04Z' }],
    ],
    [
      'an order that was paid after it was closed',
      openOrderRow({ ...PAID, paidAfterClose: { BOOL: true } }),
      [{ detailType: 'Payment After Close', paymentAfterClose: 'keep' }],
    ],
    [
      'a closed order',
      openOrderRow(attributes({ tradeState: 'CLOSED', updatedAt: AT })),
      [{ detailType: 'Order Closed', recordedAt: AT }],
    ],
    [
      'a closed order that says when',
      openOrderRow(attributes({ tradeState: 'CLOSED', updatedAt: 'later', closedAt: AT })),
      [{ detailType: 'Order Closed', recordedAt: AT }],
    ],
    ['a closed order that does not', openOrderRow({ tradeState: { S: 'CLOSED' } }), []],
    [
      'a refund on its way',
      refundRow(),
      [{ detailType: 'Refund Requested', sequence: -1, recordedAt: '2026-03-02T03:00:00Z' }],
    ],
    [
      'a refund that arrived',
      refundRow(attributes({ status: 'SUCCESS', refundId: '5030', succeededAt: AT })),
      [
        { sequence: -1 },
        { detailType: 'Refund Succeeded', sequence: 0, succeededAt: AT, refundId: '5030' },
      ],
    ],
    [
      'a refund that WeChat refused',
      refundRow({
        status: { S: 'CLOSED' },
        failure: { M: attributes({ code: 'A', message: 'b' }) },
      }),
      [{}, { status: 'CLOSED', failure: { code: 'A' }, recordedAt: '2026-03-02T03:00:00Z' }],
    ],
    [
      'a refund that cannot arrive',
      refundRow(attributes({ status: 'ABNORMAL', round: 3 })),
      [{}, { status: 'ABNORMAL', round: 3 }],
    ],
    ['a payment of no order', { ...unknownPaymentRow(), facts: undefined } as never, []],
  ])('tells what its attributes say: %s', (_, row, said) => {
    expect(told(row)).toMatchObject(said);
    expect(told(row)).toHaveLength(said.length);
    // Nothing of it is new to the stream.
    expect(newEvents(row, openOrderRow()).events).toEqual([]);
  });

  test('that cannot be read is named', () => {
    expect(allEvents({ ...refundRow(), createdAt: { N: '1' } })).toMatchObject({
      events: [],
      unreadable: [{ code: 'ORDER_UNREADABLE' }],
    });
  });

  test('is one payment, in whichever words its facts have it, and none where they cannot be read', () => {
    const afterClose = attributes({ tradeState: 'SUCCESS', paymentAfterClose: 'keep' });
    const rows = [
      withFacts(openOrderRow(PAID), factOf('PAID_AFTER_CLOSE', afterClose)),
      withFacts(openOrderRow(PAID), { S: 'not a fact' }),
    ];

    expect(rows.map((row) => allEvents(row).events.map(({ eventId }) => eventId))).toEqual([
      ['order-0001.1'],
      [],
    ]);
  });

  test('shares no name with what happens to it later', () => {
    const earlier = openOrderRow(PAID);
    const later = withFacts(
      earlier,
      factOf(
        'REFUND_MISMATCH',
        attributes({
          outRefundNo: 'r',
          refundFen: 7,
          field: 'refundedFen',
          expected: '1',
          observed: '2',
        }),
      ),
    );
    const [told, added, all] = [
      allEvents(earlier),
      newEvents(later, earlier),
      allEvents(later),
    ].map(({ events }) => events.map(({ eventId }) => eventId));

    expect([told, added]).toEqual([['order-0001.0'], ['order-0001.1']]);
    expect(all).toEqual(['order-0001.0', 'order-0001.1']);
    expect(allEvents(later).events[0]).toEqual(allEvents(earlier).events[0]);
  });

  test('of a refund that got stuck is told in the same words after each look at it', () => {
    const stuck = (changedAtMs: number) =>
      refundRow({
        status: { S: 'ABNORMAL' },
        acceptedAt: { S: AT },
        changedAtMs: { N: String(changedAtMs) },
      });
    const [first, second] = [1_772_330_500_000, 1_772_416_900_000].map((at) =>
      allEvents(stuck(at)),
    );

    expect(first?.events.map(({ recordedAt }) => recordedAt)).toContain(AT);
    expect(second).toEqual(first);
  });

  test('of a refund tells its request, and its end when that is no fact yet', () => {
    const ended = refundRow({ status: { S: 'SUCCESS' }, succeededAt: { S: AT } });
    const twice = attributes({ field: 'status', expected: 'OTHERWISE', observed: 'SUCCESS' });
    const idsOf = (row: Item) => allEvents(row).events.map(({ eventId }) => eventId);

    expect(idsOf(withFacts(ended, factOf('SUCCEEDED')))).toEqual([
      'order-0001.refund-0001.-1',
      'order-0001.refund-0001.1',
    ]);
    expect(idsOf(withFacts(ended, factOf('MISMATCH', twice)))).toEqual([
      'order-0001.refund-0001.-1',
      'order-0001.refund-0001.0',
      'order-0001.refund-0001.1',
    ]);
  });
});
