/**
 * Refunds at random over a network that loses, repeats and garbles; then time passes until nothing is
 * open, and the table is held against WeChat's book.
 */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { listDue } from '../../lib/table/due-work.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { listRefunds } from '../../lib/table/refunds.ts';
import { orderKey } from '../../lib/table/schema.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { inParallel, payInCrowd } from '../support/crowd.ts';
import { type BookedRefunds, expectSettled } from '../support/refund-audit.ts';
import { openRefundCaller, type RefundCaller } from '../support/refund-caller.ts';
import { FAULTS, openDice } from '../support/refund-faults.ts';
import { orderId } from '../support/sample-orders.ts';
import { openConsole, type StackConsole } from '../support/stack-console.ts';

/** Of both versions together. */
const ORDERS = Number(process.env['REFUND_LOAD_ORDERS'] ?? 200);
const CONCURRENCY = 16;
const LATTE_FEN = 2800;

/** Of every ten orders: WeChat ends a refund otherwise, or people refund by hand beside the API. */
const MEDDLERS = [
  'CLOSED',
  undefined,
  undefined,
  'ABNORMAL',
  undefined,
  undefined,
  undefined,
  'console',
  undefined,
  undefined,
] as const;

/** With which WeChat refuses a refund for good here: the buyer's account, or nothing is left. */
const REFUSALS = new Set<string | undefined>(['USER_ACCOUNT_ABNORMAL', 'INVALID_REQUEST', 'ERROR']);

describe.each(['v2', 'v3'] as const)('refunds of API %s over a hostile network', (apiVersion) => {
  let stack: Stack;
  let dynamoDb: DynamoDBClient;
  let merchantConsole: StackConsole;
  let caller: RefundCaller;

  beforeAll(async () => {
    vi.resetModules();
    stack = await startStack({
      inMemory: true,
      port: 0,
      simulatorPort: 0,
      schedule: false,
      log: 'silent',
      seed: `refund-load-${apiVersion}`,
      apiVersion,
    });
    dynamoDb = new DynamoDBClient({ endpoint: stack.dynamoDbEndpoint });
    merchantConsole = openConsole(stack);
    caller = openRefundCaller(stack.apiUrl);
  });
  afterAll(async () => {
    merchantConsole.close();
    dynamoDb.destroy();
    await stack.stop();
  });

  const table = () => ({ client: dynamoDb, tableName: stack.tableName });

  async function payForOrders(count: number): Promise<string[]> {
    const orders = await payInCrowd(stack, count);
    await stack.advanceClock(61);
    await stack.invoke('reconcile');
    return orders;
  }

  /** As often as the answer says "try again", under the same key. */
  async function askUntilAnswered(outTradeNo: string, wish: { refundFen?: number }, key: string) {
    for (let tries = 0; tries < 50; tries += 1) {
      const answer = await caller.ask(outTradeNo, wish, key);
      if (answer.status < 500) {
        return answer;
      }
    }
    throw new Error(`no answer about a refund of ${outTradeNo}`);
  }

  async function countOpen(): Promise<number> {
    const forEver = Date.parse('2099-01-01T00:00:00Z') / 1000;
    let open = 0;
    for await (const _ of listDue(table(), forEver)) {
      open += 1;
    }
    return open;
  }

  async function passTime(steps: readonly number[]): Promise<void> {
    for (const seconds of steps) {
      await stack.advanceClock(seconds);
      // A run that is out of time leaves the rest to the next one.
      for (let isOver = false; !isOver; ) {
        const { timeRanOut } = (await stack.invoke('reconcile')) as { timeRanOut: boolean };
        isOver = !timeRanOut;
      }
    }
  }

  async function passTimeUntilNothingIsOpen(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      // An abnormal refund is asked about once a day.
      await passTime([round < 8 ? 1801 : 86_401]);
      if ((await countOpen()) === 0) {
        return;
      }
    }
    throw new Error(`${await countOpen()} pieces of work stay open`);
  }

  const booked = (outTradeNo: string) =>
    merchantConsole.control<BookedRefunds>(`orders/${outTradeNo}`);

  async function expectOrderSettled(outTradeNo: string): Promise<BookedRefunds> {
    const book = await booked(outTradeNo);
    const { PK, SK } = orderKey(orderId(outTradeNo));
    const Key = { PK: { S: PK }, SK: { S: SK } };
    const { Item = {} } = await dynamoDb.send(
      new GetItemCommand({ TableName: stack.tableName, Key, ConsistentRead: true }),
    );
    const order = await readOrder(table(), orderId(outTradeNo));
    const account = {
      totalFen: Number(Item['totalFen']?.N),
      refundableFen: Number(Item['refundableFen']?.N),
      refundedFen: Number(Item['refundedFen']?.N ?? 0),
      refundMismatch: Item['refundMismatch'],
    };
    const rows = await listRefunds(table(), orderId(outTradeNo));
    expectSettled(outTradeNo, book, account, rows);
    // A bad network ends no refund: only WeChat's own word does.
    const unknown = rows.filter(({ refundId }) => refundId === undefined);
    const reasons = new Set(unknown.map(({ failure }) => failure?.code));
    expect.soft([...reasons.difference(REFUSALS)], outTradeNo).toEqual([]);
    expect.soft(order?.nextCheckAtEpochSeconds, outTradeNo).toBeUndefined();
    return book;
  }

  test(`${ORDERS / 2} orders, several refunds each: table and book agree to the fen`, async () => {
    const orders = await payForOrders(ORDERS / 2);
    const promised = new Map<string, Set<string>>();
    const abnormal: string[] = [];
    let refusals = 0;
    for (const fault of FAULTS) {
      await merchantConsole.setFault(fault);
    }

    async function refundAtRandom(outTradeNo: string, index: number): Promise<void> {
      const dice = openDice(index);
      const numbers = new Set<string>();
      promised.set(outTradeNo, numbers);
      const count = 1 + Math.floor(dice() * 4);
      const wishes = Array.from({ length: count }, () =>
        dice() < 0.15 ? {} : { refundFen: 1 + Math.floor(dice() * 1400) },
      );
      await Promise.all(
        wishes.map(async (wish, number) => {
          const key = `${outTradeNo}-${number}`;
          const answers = await Promise.all(
            [1, 2].map(async () => askUntilAnswered(outTradeNo, wish, key)),
          );
          const accepted = answers.filter(({ status }) => status < 300);
          const made = new Set(accepted.map(({ body }) => body.outRefundNo));
          expect(made.size).toBeLessThanOrEqual(1);
          made.forEach((outRefundNo) => numbers.add(outRefundNo));
          for (const { body } of answers.filter(({ status }) => status >= 300)) {
            expect(body.error.code).toBe('REFUND_EXCEEDS_PAYMENT');
            refusals += 1;
          }
        }),
      );
      const above = await askUntilAnswered(outTradeNo, { refundFen: LATTE_FEN + 1 }, 'above');
      expect([above.status, above.body.error.code]).toEqual([409, 'REFUND_EXCEEDS_PAYMENT']);
      await meddle(outTradeNo, MEDDLERS[index % MEDDLERS.length]);
    }

    async function meddle(outTradeNo: string, how: (typeof MEDDLERS)[number]): Promise<void> {
      const { refunds, totalFen, refundedFen } = await booked(outTradeNo);
      const [refund] = refunds;
      if (how === 'console' && totalFen > refundedFen) {
        const refundFen = Math.ceil((totalFen - refundedFen) / 3);
        await merchantConsole.control(`orders/${outTradeNo}/refund-in-console`, { refundFen });
      } else if (how !== undefined && how !== 'console' && refund) {
        await merchantConsole.control(`refunds/${refund.outRefundNo}`, { status: how });
        if (how === 'ABNORMAL') {
          abnormal.push(refund.outRefundNo);
        }
      }
    }

    await inParallel(orders.length, CONCURRENCY, async (index) =>
      refundAtRandom(orders[index] ?? '', index),
    );
    await passTime([61, 61, 300, 600, 600, 600]);
    await merchantConsole.clearFaults();
    for (const outRefundNo of abnormal) {
      await merchantConsole.control(`refunds/${outRefundNo}`, { status: 'SUCCESS' });
    }
    await passTimeUntilNothingIsOpen();

    const ends: Record<string, number> = {};
    for (const outTradeNo of orders) {
      const book = await expectOrderSettled(outTradeNo);
      for (const { api, status } of book.refunds) {
        ends[`${api} ${status}`] = (ends[`${api} ${status}`] ?? 0) + 1;
      }
      const sent = book.refunds.filter(({ api }) => api !== 'console');
      const numbers = new Set(sent.map(({ outRefundNo }) => outRefundNo));
      expect.soft([...numbers.difference(promised.get(outTradeNo) ?? new Set())]).toEqual([]);
    }
    expect(refusals).toBeGreaterThan(0);
    expect(ends).toMatchObject({
      [`${apiVersion} SUCCESS`]: expect.any(Number),
      [`${apiVersion} CLOSED`]: expect.any(Number),
      'console SUCCESS': expect.any(Number),
    });
  }, 600_000);

  test('a hundred refunds of a tenth at once bring back the payment and no more', async () => {
    const [outTradeNo = ''] = await payForOrders(1);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) =>
        askUntilAnswered(outTradeNo, { refundFen: LATTE_FEN / 10 }, `tenth-${index}`),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(90);

    await passTimeUntilNothingIsOpen();

    const { refundedFen, refunds } = await expectOrderSettled(outTradeNo);
    expect([refundedFen, refunds.length]).toEqual([LATTE_FEN, 10]);
  }, 120_000);
});
