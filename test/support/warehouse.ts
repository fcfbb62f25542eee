/** The warehouse of examples/, in a table made as its own template says. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import { parse } from 'yaml';
import type { Warehouse } from '../../examples/warehouse/hand-over.ts';
import type { Job, PaymentEvent } from '../../examples/warehouse/order.ts';
import { readProjectFile } from '../repo/project.ts';

type Node = Readonly<Record<string, unknown>>;

interface Template {
  readonly functions: Readonly<Record<string, Node>>;
  readonly provider: Node & { readonly iam: { role: { statements: readonly Node[] } } };
  readonly resources: { readonly Resources: Readonly<Record<string, { Properties: Node }>> };
}

export const WAREHOUSE_TEMPLATE = parse(
  readProjectFile('examples/warehouse/serverless.yml'),
) as Template;

const { Orders, Rule } = WAREHOUSE_TEMPLATE.resources.Resources;
const pattern = Rule?.Properties['EventPattern'] as Readonly<Record<string, readonly string[]>>;

/** Whether the rule gives an event to the queue. */
export const isHeard = (event: { readonly source: string; readonly 'detail-type': string }) =>
  Boolean(pattern['source']?.includes(event.source)) &&
  Boolean(pattern['detail-type']?.includes(event['detail-type']));

export interface WatchedWarehouse extends Warehouse {
  /** Every state that a job was given, in order, with its order. */
  readonly states: string[];
  /** Names of the calls that were made. */
  readonly calls: Set<string>;
  readonly jobOf: (outTradeNo: string) => Promise<{ state?: string; job?: Job }>;
}

/** Makes the table; each state that is written is noted once the write was accepted. */
export async function openWarehouse(
  client: DynamoDBClient,
  tableName: string,
): Promise<WatchedWarehouse> {
  const definition = Orders?.Properties as unknown as CreateTableCommandInput;
  await client.send(new CreateTableCommand({ ...definition, TableName: tableName }));
  const states: string[] = [];
  const calls = new Set<string>();
  const send = async (command: {
    input: {
      Key?: Record<string, { S?: string }>;
      ExpressionAttributeValues?: Record<string, { S?: string }>;
    };
  }) => {
    calls.add(command.constructor.name);
    const answer = await client.send(command as never);
    const state = command.input.ExpressionAttributeValues?.[':jobState']?.S;
    if (state !== undefined) {
      states.push(`${command.input.Key?.['outTradeNo']?.S} ${state}`);
    }
    return answer;
  };
  return {
    client: { send: send as never },
    tableName,
    states,
    calls,
    async jobOf(outTradeNo) {
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: tableName,
          Key: { outTradeNo: { S: outTradeNo } },
          ConsistentRead: true,
        }),
      );
      const { jobState, job } = Item ?? {};
      return {
        ...(jobState?.S !== undefined && { state: jobState.S }),
        ...(job?.S !== undefined && { job: JSON.parse(job.S) as Job }),
      };
    },
  };
}

/** What a queue brings of these events. */
export const messagesOf = (events: readonly PaymentEvent[]) => ({
  Records: events.map((event, index) => ({
    messageId: `m-${index}`,
    body: JSON.stringify(event),
  })) as never,
});
