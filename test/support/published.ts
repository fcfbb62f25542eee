/** What a running stack has published, and what its table says that it must have. */
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { createLocalClient } from '../../local/aws/dynamodb.ts';
import { call } from './shop.ts';

export interface PublishedEvent {
  readonly id: number;
  readonly time: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface StackStatus {
  readonly dynamoDbEndpoint: string;
  readonly tableName: string;
  readonly stream: readonly {
    readonly functionName: string;
    readonly behind: number;
    readonly delivered: number;
    readonly failedForGood: number;
    readonly lastFailure?: { readonly message: string };
  }[];
  readonly eventFaults: { readonly fail: number; readonly slowMs: number; readonly away: boolean };
}

export const readStackStatus = async (apiUrl: string): Promise<StackStatus> =>
  (await call<StackStatus>(`${apiUrl}/_local/status`)).body;

/** All of them, page by page. */
export async function listEvents(apiUrl: string): Promise<readonly PublishedEvent[]> {
  const all: PublishedEvent[] = [];
  for (;;) {
    const after = all.at(-1)?.id ?? 0;
    const url = `${apiUrl}/_local/events?after=${after}`;
    const { events } = (await call<{ events: PublishedEvent[] }>(url)).body;
    if (events.length === 0) {
      return all;
    }
    all.push(...events);
  }
}

/** In order and each once, whatever was delivered twice. */
export const distinctIds = (events: readonly PublishedEvent[]): readonly string[] =>
  [...new Set(events.map(({ detail }) => String(detail['eventId'])))].toSorted();

/** The ids of every fact in the table, derived here from keys and counts alone. */
export async function listFactIds(apiUrl: string): Promise<readonly string[]> {
  const { dynamoDbEndpoint, tableName: TableName } = await readStackStatus(apiUrl);
  const client = createLocalClient(dynamoDbEndpoint);
  const ids: string[] = [];
  let start: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey: start }),
    );
    for (const { PK, SK, facts } of page.Items ?? []) {
      const name = nameRow(PK?.S ?? '', SK?.S ?? '');
      ids.push(...(facts?.L ?? []).map((_, index) => `${name}.${index + 1}`));
    }
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  client.destroy();
  return ids.toSorted();
}

function nameRow(PK: string, SK: string): string {
  const [kind, number = ''] = PK.split('#');
  if (kind === 'UNKNOWN') {
    return `unknown.${number}`;
  }
  return SK === 'ORDER' ? number : `${number}.${SK.replace('REFUND#', '')}`;
}
