/** Reading orders and moving them from state to state, one conditional write each. */
import { randomUUID } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  GetItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Order } from '../order/order.ts';
import {
  type Decision,
  decideTransition,
  type Evidence,
  type Mismatch,
  type OrderFacts,
  type PaymentEvidence,
} from '../order/transition.ts';
import type { Table } from './client.ts';
import { type Item, number, openKeys, orderFromItem, stringOf, text, time } from './order-row.ts';
import { OPEN_ORDER_SHARDS, OPEN_ORDERS_INDEX, openShardKey, orderKey } from './schema.ts';

/** Reads an order as it is now (strongly consistent). */
export async function readOrder(table: Table, outTradeNo: string): Promise<Order | undefined> {
  const answer = await table.client.send(
    new GetItemCommand({
      TableName: table.tableName,
      Key: keyOf(outTradeNo),
      ConsistentRead: true,
    }),
  );
  return answer.Item && orderFromItem(answer.Item);
}

/** More than the longest path there is: NOTPAY seen as CLOSED, then as SUCCESS, then as REFUND. */
const MAX_WRITES = 5;

/**
 * Applies verified evidence to an order; what comes back has happened. The first write is made
 * without a read, on the assumption that holds nearly always: an unpaid order that the evidence
 * fits. If the row turns out to be different, the refusal brings it along and `decideTransition`
 * decides on the facts.
 */
export async function applyEvidence(
  table: Table,
  outTradeNo: string,
  evidence: Evidence,
  nowEpochSeconds: number,
): Promise<Decision> {
  const writeId = randomUUID();
  let decision = decideTransition(assumedFacts(evidence), evidence);
  for (let write = 0; decision.kind === 'apply'; write += 1) {
    if (write === MAX_WRITES) {
      throw new Error('an order changed under every attempt to update it');
    }
    const refused = await tryUpdate(
      transitionUpdate(table, outTradeNo, evidence, decision, { writeId, nowEpochSeconds }),
      table,
    );
    // A write whose answer was lost is repeated by the SDK and refused: the row bears its mark.
    if (refused === 'written' || refused.item?.['writeId']?.S === writeId) {
      return decision;
    }
    decision = decideTransition(refused.item && orderFromItem(refused.item), evidence);
  }
  return decision;
}

/** An open order that agrees with the evidence in everything. */
function assumedFacts(evidence: Evidence): OrderFacts {
  const payment = evidence.kind === 'paid' ? evidence.payment : undefined;
  return {
    tradeState: 'NOTPAY',
    appid: payment?.appid ?? '',
    mchid: payment?.mchid ?? '',
    subMchid: payment?.subMchid,
    spAppid: payment?.spAppid,
    openid: payment?.openid ?? '',
    totalFen: payment?.totalFen ?? 0,
    currency: (payment?.currency ?? 'CNY') as 'CNY',
    transactionId: undefined,
  };
}

/**
 * The write of one transition.
 *
 * Conditions: the row has the state that the decision was made for (so it exists, and two writers
 * cannot both leave that state); for a payment, also every field that was compared is equal, so
 * the write is right even when nothing was read before it.
 */
function transitionUpdate(
  table: Table,
  outTradeNo: string,
  evidence: Evidence,
  decision: Extract<Decision, { kind: 'apply' }>,
  { writeId, nowEpochSeconds }: { writeId: string; nowEpochSeconds: number },
): UpdateItemCommandInput {
  const payment = evidence.kind === 'paid' ? paymentClauses(evidence.payment) : undefined;
  const sets = [
    'tradeState = :to',
    'updatedAt = :now',
    'writeId = :writeId',
    ...(payment?.sets ?? []),
    ...(decision.paidAfterClose ? ['paidAfterClose = :true'] : []),
  ];
  const conditions = ['tradeState = :from', ...(payment?.conditions ?? [])];
  return {
    TableName: table.tableName,
    Key: keyOf(outTradeNo),
    // Every target is a final state: the order leaves the index of open orders.
    UpdateExpression: `SET ${sets.join(', ')} REMOVE GSI1PK, GSI1SK`,
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeValues: {
      ':from': text(decision.from),
      ':to': text(decision.to),
      ':now': time(nowEpochSeconds),
      ':writeId': text(writeId),
      ...payment?.values,
      ...(decision.paidAfterClose && { ':true': { BOOL: true } }),
    },
  };
}

function paymentClauses(payment: PaymentEvidence) {
  return {
    sets: [
      'transactionId = :transactionId',
      'paidAt = :paidAt',
      ...(payment.bankType === undefined ? [] : ['bankType = :bankType']),
    ],
    conditions: [
      'totalFen = :totalFen',
      'currency = :currency',
      'openid = :openid',
      'appid = :appid',
      'mchid = :mchid',
      equalOrAbsent('subMchid', payment.subMchid),
      equalOrAbsent('spAppid', payment.spAppid),
      '(attribute_not_exists(transactionId) OR transactionId = :transactionId)',
    ],
    values: {
      ':transactionId': text(payment.transactionId),
      ':paidAt': time(payment.paidAtEpochSeconds),
      ...(payment.bankType !== undefined && { ':bankType': text(payment.bankType) }),
      ':totalFen': number(payment.totalFen),
      ':currency': text(payment.currency),
      ':openid': text(payment.openid),
      ':appid': text(payment.appid),
      ':mchid': text(payment.mchid),
      ...(payment.subMchid !== undefined && { ':subMchid': text(payment.subMchid) }),
      ...(payment.spAppid !== undefined && { ':spAppid': text(payment.spAppid) }),
    },
  };
}

/** What the payment does not name, the order must not have either. */
function equalOrAbsent(name: 'subMchid' | 'spAppid', value: string | undefined): string {
  return value === undefined ? `attribute_not_exists(${name})` : `${name} = :${name}`;
}

/**
 * Keeps what contradicted an order beside it, for the person who looks into the alarm. The state
 * stays as it is. Condition: the order exists, so that nothing creates a row without an order.
 */
export async function recordMismatch(
  table: Table,
  payment: PaymentEvidence,
  mismatch: Mismatch,
  nowEpochSeconds: number,
): Promise<void> {
  await tryUpdate(
    {
      TableName: table.tableName,
      Key: keyOf(payment.outTradeNo),
      UpdateExpression: 'SET mismatch = :mismatch',
      ConditionExpression: 'attribute_exists(PK)',
      ExpressionAttributeValues: {
        ':mismatch': {
          M: {
            at: time(nowEpochSeconds),
            field: text(mismatch.field),
            expected: text(String(mismatch.expected)),
            observed: text(String(mismatch.observed)),
            transactionId: text(payment.transactionId),
            totalFen: number(payment.totalFen),
          },
        },
      },
    },
    table,
  );
}

/**
 * Takes the turn to ask WeChat about an order. Conditions: it exists and is open; nobody took the
 * turn in the last `pauseSeconds`, where a turn in the future (a clock that was set back) is none.
 */
export async function claimCheck(
  table: Table,
  outTradeNo: string,
  nowEpochSeconds: number,
  pauseSeconds: number,
): Promise<'claimed' | 'taken'> {
  const outcome = await tryUpdate(
    {
      TableName: table.tableName,
      Key: keyOf(outTradeNo),
      UpdateExpression: 'SET checkedAt = :now',
      ConditionExpression:
        'tradeState = :open AND (attribute_not_exists(checkedAt) OR checkedAt <= :before OR checkedAt > :now)',
      ExpressionAttributeValues: {
        ':now': time(nowEpochSeconds),
        ':before': time(nowEpochSeconds - pauseSeconds),
        ':open': text('NOTPAY'),
      },
    },
    table,
  );
  return outcome === 'written' ? 'claimed' : 'taken';
}

/**
 * Notes that reconcile asked and the order is still unpaid, and when it looks again. Condition: it
 * exists and still is; an order that was paid meanwhile must not come back into the index of open
 * orders.
 */
export async function markChecked(
  table: Table,
  outTradeNo: string,
  nowEpochSeconds: number,
  { checks, nextCheckAtEpochSeconds }: { checks: number; nextCheckAtEpochSeconds: number },
): Promise<void> {
  const { GSI1PK, GSI1SK } = openKeys(outTradeNo, nextCheckAtEpochSeconds);
  await tryUpdate(
    {
      TableName: table.tableName,
      Key: keyOf(outTradeNo),
      UpdateExpression: 'SET checkedAt = :now, checks = :checks, GSI1PK = :shard, GSI1SK = :next',
      ConditionExpression: 'tradeState = :open',
      ExpressionAttributeValues: {
        ':now': time(nowEpochSeconds),
        ':open': text('NOTPAY'),
        ':checks': number(checks),
        ':shard': GSI1PK,
        ':next': GSI1SK,
      },
    },
    table,
  );
}

/** How many numbers one page of the index brings. */
const DUE_PAGE = 100;

/**
 * Numbers of the open orders that are due, shard by shard, the longest due first in each. Every
 * order comes once per call, also when it is checked or fails while the list is read.
 *
 * @param firstShard where to begin, so that no shard is always last when the time runs out.
 */
export async function* listDueOrders(
  table: Table,
  nowEpochSeconds: number,
  firstShard = 0,
): AsyncGenerator<string> {
  for (let offset = 0; offset < OPEN_ORDER_SHARDS; offset += 1) {
    let startKey: Item | undefined;
    do {
      const page: QueryCommandOutput = await table.client.send(
        new QueryCommand({
          TableName: table.tableName,
          IndexName: OPEN_ORDERS_INDEX,
          KeyConditionExpression: 'GSI1PK = :shard AND GSI1SK <= :now',
          ExpressionAttributeValues: {
            ':shard': text(openShardKey((firstShard + offset) % OPEN_ORDER_SHARDS)),
            ':now': time(nowEpochSeconds),
          },
          Limit: DUE_PAGE,
          ...(startKey && { ExclusiveStartKey: startKey }),
        }),
      );
      yield* (page.Items ?? []).map((item) => stringOf(item, 'PK').replace(/^ORDER#/, ''));
      startKey = page.LastEvaluatedKey;
    } while (startKey);
  }
}

function keyOf(outTradeNo: string): Item {
  const { PK, SK } = orderKey(outTradeNo);
  return { PK: text(PK), SK: text(SK) };
}

/** `written`, or the row (if any) that did not meet the condition. */
async function tryUpdate(
  update: UpdateItemCommandInput,
  table: Table,
): Promise<'written' | { readonly item: Item | undefined }> {
  try {
    await table.client.send(
      new UpdateItemCommand({ ...update, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
    );
    return 'written';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      return { item: error.Item };
    }
    throw error;
  }
}
