/** One transaction over a few rows: all of it or nothing, whoever else writes them. */
import {
  type CancellationReason,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { Item } from './attributes.ts';
import type { Table } from './client.ts';
import { startConflict } from './conflict.ts';

/** A row that did not meet its condition, as it is; without `item` there is none. */
export interface Refusal {
  readonly item: Item | undefined;
}

/** `written`, or for each row in turn what stood against it, if anything did. */
export type TransactionOutcome = 'written' | readonly (Refusal | undefined)[];

/**
 * Writes the rows, or none of them. A transaction that only met another writer is made again, for a
 * while. Each has a token of its own: a repeat by the SDK, whose first answer was lost, is
 * recognised by it and not carried out twice.
 *
 * @throws what DynamoDB answers at last, when other writers are in the way all the time.
 */
export async function transact(
  table: Table,
  items: readonly TransactWriteItem[],
): Promise<TransactionOutcome> {
  const conflict = startConflict(table);
  for (;;) {
    try {
      await table.client.send(
        new TransactWriteItemsCommand({
          TransactItems: [...items],
          ClientRequestToken: table.randomBytes(16).toString('hex'),
        }),
      );
      return 'written';
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) {
        throw error;
      }
      const reasons = error.CancellationReasons ?? [];
      if (reasons.some(isRefusal)) {
        return reasons.map((reason) => (isRefusal(reason) ? { item: reason.Item } : undefined));
      }
      if (!reasons.some(({ Code }) => Code === 'TransactionConflict')) {
        throw error;
      }
      await conflict.pause(error);
    }
  }
}

const isRefusal = ({ Code }: CancellationReason) => Code === 'ConditionalCheckFailed';
