/** What a refund does to its order's row: the clauses of that part of a transaction. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import type { Refund } from '../refund/refund.ts';
import { MAX_REFUNDS, SECONDS_BETWEEN_SENDS } from '../refund/rules.ts';
import type { OrderEffect } from '../refund/transition.ts';
import { type Item, keyOf, number, text, texts, time } from './attributes.ts';
import type { Table, TableConnection } from './client.ts';
import { appendFacts, fact } from './facts.ts';
import { retention } from './retention.ts';
import { orderKey } from './schema.ts';

/** Parts of an update; several of them make one. */
interface Clauses {
  readonly sets: readonly string[];
  readonly conditions: readonly string[];
  readonly values: Item;
}

/** What a send takes besides the refund's own row. */
export interface Turns {
  readonly nowEpochSeconds: number;
  /** The order's turn: nobody sent a refund of it in the last minute. */
  readonly order: boolean;
  /** The merchant's turn to ask whether its balance is still short. */
  readonly probe: boolean;
}

/** A row in a transaction that is told, when its condition failed, by the row as it is. */
export const RETURN_ROW = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

/** A new row in a transaction. Condition: there is no such row. */
export const putNew = (table: TableConnection, item: Item): TransactWriteItem => ({
  Put: {
    TableName: table.tableName,
    Item: item,
    ConditionExpression: 'attribute_not_exists(PK)',
    ...RETURN_ROW,
  },
});

/** The order's part of a transaction. Condition besides those of the clauses: money was received. */
export function orderUpdate(
  table: Table,
  id: OrderId,
  nowEpochSeconds: number,
  clauses: readonly Clauses[],
): TransactWriteItem {
  const kept = retention(table, nowEpochSeconds);
  const sets = ['updatedAt = :now', ...kept.sets, ...clauses.flatMap((each) => each.sets)];
  const conditions = [
    'tradeState IN (:success, :refund)',
    ...clauses.flatMap((each) => each.conditions),
  ];
  return {
    Update: {
      TableName: table.tableName,
      Key: keyOf(orderKey(id)),
      UpdateExpression: `SET ${sets.join(', ')}`,
      ConditionExpression: conditions.join(' AND '),
      ExpressionAttributeValues: {
        ':now': time(nowEpochSeconds),
        ':success': text('SUCCESS'),
        ':refund': text('REFUND'),
        ...kept.values,
        ...Object.assign({}, ...clauses.map((each) => each.values)),
      },
      ...RETURN_ROW,
    },
  };
}

/** An order that was paid before its row kept account has all of its payment left. */
const TAKE = [
  'refundableFen = if_not_exists(refundableFen, totalFen) - :fen',
  'refundedFen = if_not_exists(refundedFen, :zero) + :fen',
];
const COUNT = 'refundCount = if_not_exists(refundCount, :zero) + :count';
const ZERO = { ':zero': number(0) };

/** Reserves. Conditions: so much is left, and WeChat takes one more refund. */
export const reservation = ({ refundFen }: Refund): Clauses => ({
  sets: [...TAKE, COUNT],
  conditions: [
    '(refundableFen >= :fen OR (attribute_not_exists(refundableFen) AND totalFen >= :fen))',
    '(attribute_not_exists(refundCount) OR refundCount < :limit)',
  ],
  values: {
    ...ZERO,
    ':fen': number(refundFen),
    ':count': number(1),
    ':limit': number(MAX_REFUNDS),
  },
});

/** Takes the order's turn to send. Condition: nobody took it in the last minute. */
export const turn = (nowEpochSeconds: number): Clauses => ({
  sets: ['refundSentAt = :now'],
  conditions: [
    '(attribute_not_exists(refundSentAt) OR refundSentAt <= :turnBefore OR refundSentAt > :now)',
  ],
  values: { ':turnBefore': time(nowEpochSeconds - SECONDS_BETWEEN_SENDS) },
});

/** The refund that came above the payment, when that was seen, and how much came back with it. */
interface AbovePayment extends Pick<Refund, 'outRefundNo' | 'refundFen' | 'totalFen'> {
  readonly markAt: number;
  readonly provedFen: number;
}

function markOf({ markAt, outRefundNo, refundFen, totalFen, provedFen }: AbovePayment) {
  const refund = { outRefundNo: text(outRefundNo), refundFen: number(refundFen) };
  const said = {
    ...refund,
    ...texts({ field: 'refundedFen', expected: String(totalFen), observed: String(provedFen) }),
  };
  const told = appendFacts([fact('REFUND_MISMATCH', markAt, said)]);
  return {
    sets: ['refundMismatch = :mark', ...told.sets],
    values: { ...told.values, ':mark': { M: { at: time(markAt), ...refund } } },
  };
}

/**
 * What WeChat proved: taken without a condition on what was left.
 *
 * @param mostFen what may be proved before this, for all of it to stay within the payment; without
 * it, the order is marked as one of which more came back than was paid.
 */
export function proof(
  { takesFen, provesFen, counts, refunds }: OrderEffect,
  above: { readonly mostFen: number } | AbovePayment,
): Clauses {
  const mark = 'markAt' in above ? markOf(above) : { sets: [], values: {} };
  return {
    sets: [
      ...(takesFen === 0 ? [] : TAKE),
      ...(counts === 0 ? [] : [COUNT]),
      ...(provesFen === 0 ? [] : ['provedFen = if_not_exists(provedFen, :zero) + :proves']),
      ...(refunds ? ['tradeState = :refund'] : []),
      ...mark.sets,
    ],
    conditions:
      provesFen > 0 && 'mostFen' in above
        ? ['(attribute_not_exists(provedFen) OR provedFen <= :most)']
        : [],
    values: {
      ...((takesFen !== 0 || counts !== 0 || provesFen !== 0) && ZERO),
      ...(takesFen !== 0 && { ':fen': number(takesFen) }),
      ...(counts !== 0 && { ':count': number(counts) }),
      ...(provesFen !== 0 && { ':proves': number(provesFen) }),
      ...(provesFen > 0 && 'mostFen' in above && { ':most': number(above.mostFen) }),
      ...mark.values,
    },
  };
}

/** Whether a change of a refund touches its order at all. */
export const isNoEffect = ({ takesFen, provesFen, counts, refunds }: OrderEffect): boolean =>
  takesFen === 0 && provesFen === 0 && counts === 0 && !refunds;
