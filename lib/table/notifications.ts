/**
 * The archive of what WeChat sent. The write that a notification brings about carries the message on
 * the row it changes; from there it is copied beside it, so that the acknowledgement waits for one
 * write only.
 */
import { ConditionalCheckFailedException, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { ApiVersion } from '../order/parties.ts';
import {
  AttributeError,
  type Item,
  keyOf,
  number,
  numberOf,
  oneOf,
  optionalStringOf,
  readRow,
  stringOf,
} from './attributes.ts';
import type { TableConnection } from './client.ts';
import { queryRows } from './rows.ts';
import { notificationKey, TIME_TO_LIVE_ATTRIBUTE } from './schema.ts';

const SECONDS_PER_DAY = 86_400;

/** What the archive keeps of a notification; the role of publish allows these attributes and no other. */
const KEPT = [
  'id',
  'receivedAt',
  'apiVersion',
  'kind',
  'message',
  'messageBytes',
  'decision',
  'from',
  'to',
  'answer',
] as const;

const entryOf = (item: Item, name: string) => {
  const value = item[name];
  return value === undefined ? [] : [[name, value] as const];
};

/**
 * The archive's row of the notification that made `row` what it is; nothing when the row before had
 * the same one, or there is none. `deleteAt` is the table's time to live, in epoch seconds.
 *
 * @throws {UnreadableRowError} when it cannot be read.
 */
export function archivedNotification(
  row: Item,
  before: Item | undefined,
  retentionDays: number,
): Item | undefined {
  return readRow(row, () => {
    const { M: notification } = row['notification'] ?? {};
    if (!notification) {
      return undefined;
    }
    const key = stringOf(notification, 'key');
    if (key === before?.['notification']?.M?.['key']?.S) {
      return undefined;
    }
    const receivedAtMs = Date.parse(stringOf(notification, 'receivedAt'));
    if (Number.isNaN(receivedAtMs)) {
      throw new AttributeError('notification', 'the attribute receivedAt is not a time');
    }
    return {
      ...keyOf(notificationKey(stringOf(row, 'PK'), key)),
      ...Object.fromEntries(KEPT.flatMap((name) => entryOf(notification, name))),
      [TIME_TO_LIVE_ATTRIBUTE]: number(
        Math.floor(receivedAtMs / 1000) + retentionDays * SECONDS_PER_DAY,
      ),
    };
  });
}

/**
 * Puts a notification into the archive. Condition: it is not there yet; the stream brings each of
 * its records at least once, and this write must never replace a row of another kind.
 */
export async function putNotification(
  { client, tableName }: TableConnection,
  item: Item,
): Promise<void> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: tableName,
        Item: item,
        ConditionExpression: 'attribute_not_exists(PK)',
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) {
      throw error;
    }
  }
}

/** What the archive has of a message of WeChat's. */
export interface ArchivedNotification {
  /** v3: WeChat's own; v2: a digest of the body. */
  readonly id: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly apiVersion: ApiVersion;
  readonly kind: 'payment' | 'refund';
  /** JSON of what was verified; nothing where it was too large to be kept. */
  readonly content: string | undefined;
  /** What was decided then, and from and to which state. */
  readonly decision: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Status of what WeChat was told. */
  readonly answer: number;
}

/**
 * What WeChat sent that changed the rows under a key, the oldest first.
 *
 * @param PK of an order, or of a payment that has none.
 * @throws {UnreadableRowError} for a row that is not of its form.
 */
export async function listNotifications(
  table: TableConnection,
  PK: string,
): Promise<readonly ArchivedNotification[]> {
  const { SK: prefix } = notificationKey(PK, '');
  const found: ArchivedNotification[] = [];
  for await (const rows of queryRows(table, PK, prefix)) {
    found.push(...rows.map((row) => readRow(row, () => notificationIn(row))));
  }
  return found;
}

const notificationIn = (row: Item): ArchivedNotification => ({
  id: stringOf(row, 'id'),
  receivedAt: stringOf(row, 'receivedAt'),
  apiVersion: oneOf(row, 'apiVersion', ['v2', 'v3']),
  kind: oneOf(row, 'kind', ['payment', 'refund']),
  content: optionalStringOf(row, 'message'),
  decision: stringOf(row, 'decision'),
  from: optionalStringOf(row, 'from'),
  to: optionalStringOf(row, 'to'),
  answer: numberOf(row, 'answer'),
});
