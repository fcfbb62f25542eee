/** The sample that hands orders to a warehouse: once each, in every order of events there is. */
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handOver, takeMessages } from '../../examples/warehouse/hand-over.ts';
import { type Order, type PaymentEvent, takeIn } from '../../examples/warehouse/order.ts';
import { createLocalClient, startDynamoDb } from '../../local/aws/dynamodb.ts';
import { problemsOf } from '../support/event-schemas.ts';
import { allEvents } from '../../lib/events/events.ts';
import type { Item } from '../../lib/table/attributes.ts';
import { EVENT_SCHEMAS } from '../support/event-schemas.ts';
import { attributes, factOf, openOrderRow, refundRow, withFacts } from '../support/fact-rows.ts';
import { listEvents } from '../support/published.ts';
import { openRefundCaller } from '../support/refund-caller.ts';
import { call, eventually, logIn } from '../support/shop.ts';
import { freePort, startStackProcess } from '../support/stack-process.ts';
import { isHeard, messagesOf, openWarehouse, WAREHOUSE_TEMPLATE } from '../support/warehouse.ts';

const OUT_TRADE_NO = 'order-0001';
const PAYMENT = attributes({
  transactionId: '4200000001202603010000000001',
  paidAt: '2026-03-01T02:00:04Z',
});
const line = (sku: string, kind?: string) => ({
  M: attributes({ sku, quantity: 2, unitFen: 1400, ...(kind && { kind }) }),
});

/** The events of rows, made as they are published. */
const eventsOf = (...rows: Item[]): PaymentEvent[] =>
  rows.flatMap(allEvents).flatMap(({ events }) =>
    events.map(({ detailType, detail }) => {
      const content = JSON.parse(detail) as PaymentEvent['detail'];
      expect(problemsOf(detailType, content)).toEqual([]);
      return { source: 'wechatpay-serverless', 'detail-type': detailType, detail: content };
    }),
  );

const orderRow = (type: string, values: Item, changes: Item = {}) =>
  withFacts(openOrderRow({ ...PAYMENT, ...changes }), factOf(type, values));
const refundOf = (number: string, ...types: string[]) =>
  withFacts(
    refundRow(attributes({ SK: `REFUND#${number}`, outRefundNo: number })),
    ...types.map((type) => factOf(type, type === 'ABNORMAL' ? attributes({ round: 1 }) : {})),
  );

const success = attributes({ tradeState: 'SUCCESS' });
const PAID = eventsOf(orderRow('PAID', success));
const AFTER_CLOSE = eventsOf(
  orderRow('PAID_AFTER_CLOSE', { ...success, ...attributes({ paymentAfterClose: 'keep' }) }),
);
const REFUNDED = eventsOf(refundOf('r1', 'REQUESTED', 'SUCCEEDED'));
const CLOSED_REFUND = eventsOf(refundOf('r2', 'REQUESTED', 'CLOSED'));
const STUCK_REFUND = eventsOf(refundOf('r3', 'REQUESTED', 'ABNORMAL', 'SUCCEEDED'));

/** The job as it was given, and how often one was given. */
function deliver(events: readonly PaymentEvent[]) {
  let order: Order = { outTradeNo: OUT_TRADE_NO };
  let handOvers = 0;
  for (const event of events) {
    const after = takeIn(order, event);
    handOvers += after.job && !order.job ? 1 : 0;
    expect(order.job === undefined || after.job).toBe(order.job ?? true);
    order = after;
  }
  return { order, handOvers };
}

/**
 * What has to come of these deliveries, said without the order's row: it is handed over if at some
 * moment it is known as paid and no refund is known that is on its way or done.
 */
function isToBeHandedOver(events: readonly PaymentEvent[]): boolean {
  return events.some((_, index) => {
    const known = events.slice(0, index + 1);
    const numbers = new Set(known.flatMap(({ detail }) => detail.outRefundNo ?? []));
    const isOver = (number: string) => {
      const news = known.filter(({ detail }) => detail.outRefundNo === number);
      const last = Math.max(...news.map(({ detail }) => detail.sequence));
      return news.some(({ detail }) => detail.sequence === last && detail.status === 'CLOSED');
    };
    const types = known.map((event) => event['detail-type']);
    return types.includes('Order Paid') && [...numbers].every(isOver);
  });
}

function permutationsOf<T>(list: readonly T[]): T[][] {
  return list.length === 0
    ? [[]]
    : list.flatMap((first, index) =>
        permutationsOf(list.filter((_, other) => other !== index)).map((rest) => [first, ...rest]),
      );
}

/** Deliveries of all of these events, some of them several times, in any order. */
const deliveriesOf = (events: readonly PaymentEvent[]) =>
  fc.array(fc.constantFrom(...events), { maxLength: 6 }).chain((repeats) => {
    const all = [...events, ...repeats];
    return fc.shuffledSubarray(all, { minLength: all.length });
  });

describe('an order that is paid', () => {
  test('is handed over with what is to be packed, and not a second time', () => {
    const { order, handOvers } = deliver([...PAID, ...PAID, ...PAID]);

    expect(handOvers).toBe(1);
    expect(order.job).toEqual({
      eventId: 'order-0001.1',
      outTradeNo: OUT_TRADE_NO,
      attach: 'basket-7',
      items: [{ sku: 'latte', quantity: 2 }],
    });
  });

  test('of physical goods and services is handed over without the services', () => {
    const items = { L: [line('cup'), line('engraving', 'service')] };
    const { order } = deliver(eventsOf(orderRow('PAID', success, { items })));

    expect(order.job?.items).toEqual([{ sku: 'cup', quantity: 2 }]);
  });

  test('without lines is handed over by its own text', () => {
    const { items: _, ...row } = orderRow('PAID', success);
    const { order } = deliver(eventsOf(row));

    expect(order.job).toEqual({
      eventId: 'order-0001.1',
      outTradeNo: OUT_TRADE_NO,
      attach: 'basket-7',
    });
  });

  test.each([
    ['services', success, { items: { L: [line('massage', 'service')] } }],
    ['virtual goods', success, attributes({ kind: 'virtual' })],
    ['what was given back before anybody knew', attributes({ tradeState: 'REFUND' }), {}],
  ] as [string, Item, Item][])('for %s is not handed over', (_, values, changes) => {
    expect(deliver(eventsOf(orderRow('PAID', values, changes))).handOvers).toBe(0);
  });

  test('after it was closed is never handed over, whatever else comes', () => {
    fc.assert(
      fc.property(deliveriesOf([...AFTER_CLOSE, ...REFUNDED, ...CLOSED_REFUND]), (events) => {
        expect(deliver(events).handOvers).toBe(0);
      }),
    );
  });
});

describe('an order with refunds', () => {
  test.each([
    ['one that succeeds', [...PAID, ...REFUNDED], [0, 1]],
    ['one that is closed', [...PAID, ...CLOSED_REFUND], [1]],
    ['one that is stuck and then succeeds', [...PAID, ...STUCK_REFUND], [0, 1]],
    ['one that succeeds, one that is closed', [...PAID, ...REFUNDED, ...CLOSED_REFUND], [0, 1]],
    ['a stuck one, a closed one', [...PAID, ...STUCK_REFUND, ...CLOSED_REFUND], [0, 1]],
  ])(
    '%s: is handed over once or not at all, as it must be, in every order',
    (_, events, numbers) => {
      const seen = new Set<number>();
      for (const each of permutationsOf(events)) {
        const { handOvers } = deliver(each);
        expect(handOvers).toBe(isToBeHandedOver(each) ? 1 : 0);
        seen.add(handOvers);
      }
      // A refund that moves no money only delays.
      expect([0, 1].filter((each) => seen.has(each))).toEqual(numbers);
    },
  );

  test('is so however often each event comes', () => {
    const events = [...PAID, ...REFUNDED, ...CLOSED_REFUND, ...STUCK_REFUND];
    fc.assert(
      fc.property(deliveriesOf(events), (deliveries) => {
        expect(deliver(deliveries).handOvers).toBe(isToBeHandedOver(deliveries) ? 1 : 0);
      }),
      { numRuns: 1000 },
    );
  });

  test('before it was handed over is not handed over; after it, is recalled for good', () => {
    expect(deliver([...REFUNDED, ...PAID])).toMatchObject({ handOvers: 0 });
    expect(deliver([...PAID, ...REFUNDED]).order).toMatchObject({ job: {}, isRecalled: true });
    expect(deliver([...PAID, ...CLOSED_REFUND]).order).toMatchObject({ job: {}, isRecalled: true });
  });

  test('ends as it is in whatever order the news of one refund come', () => {
    for (const events of permutationsOf(CLOSED_REFUND)) {
      expect(deliver([...events, ...PAID]).handOvers).toBe(1);
    }
    for (const events of permutationsOf(STUCK_REFUND)) {
      expect(deliver([...events, ...PAID]).handOvers).toBe(0);
    }
  });
});

describe('the table of the warehouse', () => {
  let engine: Awaited<ReturnType<typeof startDynamoDb>>;
  let client: ReturnType<typeof createLocalClient>;
  let count = 0;
  beforeAll(async () => {
    engine = await startDynamoDb();
    client = createLocalClient(engine.endpoint);
  });
  afterAll(async () => {
    client.destroy();
    await engine.stop();
  });
  const newWarehouse = () => {
    count += 1;
    return openWarehouse(client, `warehouse-${count}`);
  };

  test('has each order once, however many deliveries run at once', async () => {
    await fc.assert(
      fc.asyncProperty(deliveriesOf([...PAID, ...CLOSED_REFUND]), async (events) => {
        const warehouse = await newWarehouse();
        await Promise.all(events.map((event) => handOver(event, warehouse)));
        const handed = warehouse.states.filter((state) => state.endsWith(' HANDED_OVER'));
        expect(handed).toEqual([`${OUT_TRADE_NO} HANDED_OVER`]);
        expect((await warehouse.jobOf(OUT_TRADE_NO)).job).toMatchObject({
          eventId: 'order-0001.1',
        });
      }),
      { numRuns: 25 },
    );
  });

  test('keeps what the warehouse has done with a job, unless it is recalled', async () => {
    const warehouse = await newWarehouse();
    await takeMessages(messagesOf([...PAID]), warehouse);
    expect(await warehouse.jobOf(OUT_TRADE_NO)).toMatchObject({ state: 'HANDED_OVER' });
    await takeMessages(messagesOf([...REFUNDED]), warehouse);
    expect(await warehouse.jobOf(OUT_TRADE_NO)).toMatchObject({ state: 'RECALLED' });
    await takeMessages(messagesOf([...PAID, ...REFUNDED, ...CLOSED_REFUND]), warehouse);
    expect(warehouse.states).toEqual([`${OUT_TRADE_NO} HANDED_OVER`, `${OUT_TRADE_NO} RECALLED`]);
  });

  test('that is away, or a message that is none, gives those back and no others', async () => {
    const warehouse = await newWarehouse();
    const ok = { messageId: 'a', body: JSON.stringify(PAID[0]) };
    const broken = { messageId: 'b', body: '{' };
    expect(await takeMessages({ Records: [broken, ok] as never }, warehouse)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'b' }],
    });
    expect(warehouse.states).toHaveLength(1);
    const away = { ...warehouse, tableName: 'nowhere' };
    expect(await takeMessages(messagesOf([...PAID]), away)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm-0' }],
    });
  });

  test('may be used by the function as it is used', async () => {
    const warehouse = await newWarehouse();
    await takeMessages(messagesOf([...PAID, ...REFUNDED]), warehouse);
    const [statement] = WAREHOUSE_TEMPLATE.provider.iam.role.statements;

    const actions = [...warehouse.calls].map((name) => `dynamodb:${name.replace('Command', '')}`);
    expect(actions.toSorted()).toEqual(statement?.['Action']);
  });
});

test('the rule hears every type of event that an order takes in, and no other', () => {
  const heard = [...EVENT_SCHEMAS.keys()].filter((type) =>
    isHeard({ source: 'wechatpay-serverless', 'detail-type': type }),
  );

  expect(heard.toSorted()).toEqual([
    'Order Paid',
    'Payment After Close',
    'Refund Failed',
    'Refund Requested',
    'Refund Succeeded',
  ]);
});

describe('the events of a local run', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-warehouse-'));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test('hand each paid order over once, in every order and repetition', async () => {
    const stack = await startStackProcess(dataDir, {
      api: await freePort(),
      simulator: await freePort(),
    });
    try {
      const alice = await logIn(stack, 'alice');
      const pay = async (sku: string) => {
        const { body } = await alice.prepay({ items: [{ sku, quantity: 1 }] });
        await alice.pay(body.requestPayment);
        return body.outTradeNo;
      };
      const [kept, given] = [await pay('latte'), await pay('cookie')];
      await eventually(
        () => listEvents(stack.apiUrl),
        (found) => found.length === 2,
      );
      expect((await openRefundCaller(stack.apiUrl).ask(given, {}, 'all')).status).toBe(201);
      await call(`${stack.apiUrl}/_local/clock`, 'POST', { advanceSeconds: 10 });
      const events = await eventually(
        () => listEvents(stack.apiUrl),
        (found) => found.some(({ detailType }) => detailType === 'Refund Succeeded'),
      );
      const deliveries = events
        .map(({ source, detailType, detail }) => ({ source, 'detail-type': detailType, detail }))
        .filter(isHeard) as unknown as PaymentEvent[];

      const { dynamoDbEndpoint } = (
        await call<{ dynamoDbEndpoint: string }>(`${stack.apiUrl}/_local/status`)
      ).body;
      const client = createLocalClient(dynamoDbEndpoint);
      const run = { count: 0 };
      await fc.assert(
        fc.asyncProperty(deliveriesOf(deliveries), async (list) => {
          run.count += 1;
          const warehouse = await openWarehouse(client, `warehouse-${run.count}`);
          expect(await takeMessages(messagesOf(list), warehouse)).toEqual({
            batchItemFailures: [],
          });
          const handed = warehouse.states.filter((state) => state.endsWith(' HANDED_OVER'));
          const ofGiven = list.filter(({ detail }) => detail.outTradeNo === given);
          expect(handed.toSorted()).toEqual(
            [kept, ...(isToBeHandedOver(ofGiven) ? [given] : [])]
              .map((outTradeNo) => `${outTradeNo} HANDED_OVER`)
              .toSorted(),
          );
        }),
        { numRuns: 25 },
      );
      client.destroy();
    } finally {
      await stack.end('SIGINT');
    }
  }, 120_000);
});
