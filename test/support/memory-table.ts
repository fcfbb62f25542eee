/**
 * The part of DynamoDB that orders and their index use, in this process: for runs over more rows than
 * the embedded engine takes in a test. Anything else is refused, so that nothing passes unseen.
 */
import { type AttributeValue, ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { Table } from '../../lib/table/client.ts';

type Item = Record<string, AttributeValue>;
type Values = Readonly<Record<string, AttributeValue>>;

interface Input {
  readonly Item?: Item;
  readonly Key?: Item;
  readonly KeyConditionExpression?: string;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeValues?: Values;
  readonly ExclusiveStartKey?: Item;
  readonly Limit?: number;
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: Item[] }>>;
}

const textOf = (item: Item | undefined, name: string) => item?.[name]?.S;
const idOf = (item: Item) => `${textOf(item, 'PK')}|${textOf(item, 'SK')}`;
const scalar = (value: AttributeValue | undefined) => value?.S ?? value?.N ?? value?.BOOL;

/** Rows of one `GSI1PK`, kept in order. */
class Partition {
  readonly entries: string[] = [];

  /** Where an entry is, or would be. */
  indexOf(entry: string): number {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.entries[middle] as string) < entry) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  add(entry: string): void {
    this.entries.splice(this.indexOf(entry), 0, entry);
  }

  remove(entry: string): void {
    this.entries.splice(this.indexOf(entry), 1);
  }
}

export interface MemoryTable {
  readonly rows: Map<string, Item>;
  readonly client: Table['client'];
}

/** @param pause what every operation takes. */
export function memoryTable(pause: () => Promise<void>): MemoryTable {
  const rows = new Map<string, Item>();
  const index = new Map<string, Partition>();
  const entryOf = (item: Item) => `${textOf(item, 'GSI1SK')} ${idOf(item)}`;
  const partitionOf = (name: string) => {
    const partition = index.get(name) ?? new Partition();
    index.set(name, partition);
    return partition;
  };
  const isIndexed = (item: Item) => item['GSI1PK'] !== undefined && item['GSI1SK'] !== undefined;

  const write = (before: Item | undefined, after: Item) => {
    if (before && isIndexed(before)) {
      partitionOf(textOf(before, 'GSI1PK') as string).remove(entryOf(before));
    }
    rows.set(idOf(after), after);
    if (isIndexed(after)) {
      partitionOf(textOf(after, 'GSI1PK') as string).add(entryOf(after));
    }
  };

  const demand = (
    item: Item | undefined,
    { ConditionExpression, ExpressionAttributeValues = {} }: Input,
  ) => {
    if (ConditionExpression && !holds(ConditionExpression, item ?? {}, ExpressionAttributeValues)) {
      throw new ConditionalCheckFailedException({
        message: 'The conditional request failed',
        $metadata: {},
        ...(item && { Item: item }),
      });
    }
  };

  const operations: Readonly<Record<string, (input: Input) => object>> = {
    PutItemCommand(input) {
      const item = input.Item as Item;
      const before = rows.get(idOf(item));
      demand(before, input);
      write(before, item);
      return {};
    },
    GetItemCommand: ({ Key = {} }) => ({ Item: rows.get(idOf(Key)) }),
    BatchGetItemCommand({ RequestItems = {} }) {
      const answers = Object.entries(RequestItems).map(([name, { Keys }]) => [
        name,
        Keys.map((key) => rows.get(idOf(key))).filter((row) => row !== undefined),
      ]);
      return { Responses: Object.fromEntries(answers) };
    },
    UpdateItemCommand(input) {
      const before = rows.get(idOf(input.Key as Item));
      demand(before, input);
      const after = { ...input.Key, ...before };
      const { UpdateExpression = '', ExpressionAttributeValues: values = {} } = input;
      const [, set = '', remove = ''] =
        /^SET (.*?)(?: REMOVE (.*))?$/.exec(UpdateExpression) ?? unknown(UpdateExpression);
      // A comma before the next "name =" ends an assignment.
      for (const part of set.split(/, (?=\w+ = )/)) {
        const [, name = '', value = ''] = /^(\w+) = (.+)$/.exec(part) ?? unknown(part);
        after[name] = valueOf(value, before ?? {}, values);
      }
      for (const name of remove.split(', ')) {
        delete after[name];
      }
      write(before, after);
      return {};
    },
    QueryCommand({ KeyConditionExpression, ...input }) {
      const [, between] =
        /^GSI1PK = :shard AND GSI1SK (?:<=|(BETWEEN) :since AND) :now$/.exec(
          KeyConditionExpression ?? '',
        ) ?? unknown(KeyConditionExpression);
      const {
        ':shard': shard,
        ':now': now,
        ':since': since,
      } = input.ExpressionAttributeValues ?? {};
      const begin = between ? `${since?.S}` : '';
      const partition = partitionOf(shard?.S ?? '');
      const { ExclusiveStartKey: from, Limit = 1_000 } = input;
      const last = partition.indexOf(`${now?.S}~`);
      const start = partition.indexOf(from ? `${entryOf(from)}\u0000` : begin);
      const entries = partition.entries.slice(start, Math.min(last, start + Limit));
      const found = entries.map((entry) => rows.get(entry.slice(entry.indexOf(' ') + 1)) as Item);
      const keys = found.map(({ PK, SK, GSI1PK, GSI1SK }) => ({ PK, SK, GSI1PK, GSI1SK }));
      return {
        Items: keys,
        ...(start + entries.length < last && { LastEvaluatedKey: keys.at(-1) }),
      };
    },
  };

  const send = async (command: { readonly input: Input }) => {
    const { name } = command.constructor;
    const operation = operations[name] ?? (() => unknown(name));
    await pause();
    return operation(command.input);
  };
  return { rows, client: { send } as Table['client'] };
}

function unknown(what: unknown): never {
  throw new TypeError(`the table in memory does not know ${String(what)}`);
}

/** The value of an operand: one given, one of the row's or else given, or one list after another. */
function valueOf(text: string, item: Item, values: Values): AttributeValue {
  const [, name = '', otherwise = ''] = /^if_not_exists\((\w+), (:\w+)\)$/.exec(text) ?? [];
  if (name) {
    return item[name] ?? (values[otherwise] as AttributeValue);
  }
  const [, first = '', second = ''] = /^list_append\((.+), (:\w+)\)$/.exec(text) ?? [];
  if (first) {
    return {
      L: [first, second].flatMap((operand) => valueOf(operand, item, values).L ?? unknown(text)),
    };
  }
  const [, left = '', sign = '', right = ''] = /^(.+) ([+-]) (:\w+)$/.exec(text) ?? [];
  if (left) {
    const [a, b] = [left, right].map((operand) => Number(valueOf(operand, item, values).N));
    return { N: String((a ?? 0) + (sign === '+' ? 1 : -1) * (b ?? 0)) };
  }
  return values[text] ?? unknown(text);
}

/** Whether a condition holds: comparisons joined by AND, with alternatives in brackets. */
function holds(condition: string, item: Item, values: Values): boolean {
  return condition.split(/ AND (?![^(]*\))/).every((part) => {
    const inside = /^\((.*)\)$/.exec(part)?.[1];
    return inside === undefined
      ? compare(part, item, values)
      : inside.split(' OR ').some((one) => compare(one, item, values));
  });
}

function compare(text: string, item: Item, values: Values): boolean {
  const [, is, attribute = ''] = /^attribute_(exists|not_exists)\((\w+)\)$/.exec(text) ?? [];
  if (is) {
    return (item[attribute] !== undefined) === (is === 'exists');
  }
  const [, name = '', operator = '', value = ''] =
    /^(\w+) (=|<>|<=|>) (:\w+)$/.exec(text) ?? unknown(text);
  const left = scalar(item[name]);
  const right = scalar(values[value]);
  if (operator === '<>') {
    return left !== right;
  }
  if (left === undefined || right === undefined) {
    return false;
  }
  return operator === '=' ? left === right : operator === '<=' ? left <= right : left > right;
}
