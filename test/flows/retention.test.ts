/** An order whose days are over is gone; its buyer's key comes again all the same. */
import { randomUUID } from 'node:crypto';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test, vi } from 'vitest';
import { keyOf } from '../../lib/table/attributes.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { orderKey } from '../../lib/table/schema.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { orderId } from '../support/sample-orders.ts';
import { eventually, type Failure, logIn } from '../support/shop.ts';

const CART = { items: [{ sku: 'latte', quantity: 1 }] };
const DAY = 86_400;

let stack: Stack;
let dynamoDb: DynamoDBClient;

afterEach(async () => {
  dynamoDb.destroy();
  await stack.stop();
});

test.each(['v2', 'v3'] as const)(
  'it makes no second payment through API %s: WeChat knows the number, and reconcile rings',
  async (apiVersion) => {
    vi.resetModules();
    stack = await startStack({
      inMemory: true,
      port: 0,
      simulatorPort: 0,
      schedule: false,
      log: 'silent',
      seed: 'retention',
      apiVersion,
    });
    dynamoDb = new DynamoDBClient({ endpoint: stack.dynamoDbEndpoint });
    const table = { client: dynamoDb, tableName: stack.tableName };
    const key = randomUUID();
    const buyer = await logIn(stack, 'alice');
    const { outTradeNo, requestPayment } = (await buyer.prepay(CART, key)).body;
    await buyer.pay(requestPayment);
    await eventually(
      () => readOrder(table, orderId(outTradeNo)),
      (order) => order?.tradeState === 'SUCCESS',
    );

    // What DynamoDB's time to live does.
    const Key = keyOf(orderKey(orderId(outTradeNo)));
    await dynamoDb.send(new DeleteItemCommand({ TableName: stack.tableName, Key }));
    await stack.advanceClock(401 * DAY);
    const again = await (await logIn(stack, 'alice')).prepay<Failure>(CART, key);

    expect([again.status, again.body.error.code]).toEqual([409, 'ORDER_ALREADY_PAID']);
    await stack.advanceClock(61);
    expect(await stack.invoke('reconcile')).toMatchObject({ due: 1, mismatched: 1 });
    expect((await readOrder(table, orderId(outTradeNo)))?.tradeState).toBe('NOTPAY');
  },
  120_000,
);
