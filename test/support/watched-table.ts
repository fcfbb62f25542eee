/** A table that tells which operations were sent, and that can be made to fail or to wait. */
import { randomBytes } from 'node:crypto';
import type { Table, TableConnection } from '../../lib/table/client.ts';

/** An operation on its way: its name in DynamoDB, its input, and how to let it through. */
export interface Operation {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly send: () => Promise<unknown>;
}

export interface WatchedTable extends Table {
  /** Names of the operations so far, such as `UpdateItem`, in the order they were sent. */
  readonly operations: string[];
}

/** A connection with the real chance and time, and the table's name as scope, unless it has its own. */
export function writable(connection: TableConnection & Partial<Table>): Table {
  return {
    scope: connection.tableName,
    randomBytes,
    startTimer: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    ...connection,
  };
}

/**
 * Watches a table.
 *
 * @param answer what becomes of an operation; without it, everything goes through.
 */
export function watchTable(
  table: Pick<Table, 'tableName'> & Partial<Table>,
  answer: (operation: Operation) => Promise<unknown> = ({ send }) => send(),
): WatchedTable {
  const operations: string[] = [];
  const { client } = table;
  const send = (command: { readonly input: Record<string, unknown> }) => {
    const name = command.constructor.name.replace(/Command$/, '');
    operations.push(name);
    return answer({
      name,
      input: command.input,
      send: () => {
        if (!client) {
          throw new Error(`nobody answers ${name}`);
        }
        return client.send(command as never);
      },
    });
  };
  return { ...writable({ ...table, client: { send } }), operations };
}
