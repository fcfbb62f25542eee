/** Open orders that cannot be brought to an end by asking WeChat: a person has to. */
import { isoTime } from '../time.ts';
import { text, texts, time } from './attributes.ts';
import type { Table } from './client.ts';
import type { ReadOrder } from './due.ts';
import { appendFacts, fact } from './facts.ts';
import { orderKey } from './schema.ts';
import { tryUpdate } from './update.ts';

/** What kept an order open: a code of `errors.ts`, or `NOT_CLOSED` for an order that WeChat goes on calling open. */
export type UnsettledReason = string;

/**
 * Ends the attempts at an order. It stays `NOTPAY`, because nothing is proved, and whatever proves
 * something later settles it as ever; but it leaves the index of open work, and a fact tells of it.
 * Conditions: it is open, and its place in the index is the one that was read.
 */
export async function markUnsettled(
  table: Table,
  read: ReadOrder,
  reason: UnsettledReason,
  nowEpochSeconds: number,
): Promise<'written' | 'refused'> {
  const { sets, values } = appendFacts([fact('UNSETTLED', nowEpochSeconds, texts({ reason }))]);
  const readAt = read.nextCheckAtEpochSeconds;
  const outcome = await tryUpdate(table, orderKey(read), {
    UpdateExpression: `SET ${['checkedAt = :now', 'unsettled = :reason', ...sets].join(', ')} REMOVE GSI1PK, GSI1SK`,
    ConditionExpression: 'tradeState = :open AND GSI1SK = :read',
    ExpressionAttributeValues: {
      ':open': text('NOTPAY'),
      ':read': text(readAt === undefined ? '' : isoTime(readAt)),
      ':now': time(nowEpochSeconds),
      ':reason': text(reason),
      ...values,
    },
  });
  return outcome === 'written' ? 'written' : 'refused';
}
