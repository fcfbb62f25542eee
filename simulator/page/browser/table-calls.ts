/** What a call of the table meant, in its own words: written, refused by its condition, found. */
import type { LocalMessage, Outcome } from './messages.ts';

interface TableRequest {
  readonly Item?: Readonly<Record<string, { S?: string }>>;
  readonly UpdateExpression?: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeValues?: Readonly<Record<string, { S?: string }>>;
}

export function describeTableCall({ method, response }: LocalMessage): {
  outcome: Outcome;
  result: string;
} {
  if (!response) {
    return { outcome: 'pending', result: '' };
  }
  if (response.status === 200) {
    return { outcome: 'ok', result: describeSuccess(method, response.body) };
  }
  const type = /"__type":"[^"]*#(\w+)"/.exec(response.body)?.[1] ?? String(response.status);
  return /ConditionalCheckFailed|TransactionCanceled/.test(type)
    ? { outcome: 'refused', result: 'condition not met' }
    : { outcome: 'failed', result: type };
}

function describeSuccess(method: string, body: string): string {
  if (method === 'GetItem') {
    const state = /"tradeState":\{"S":"(\w+)"\}/.exec(body)?.[1];
    return state ?? (body.includes('"Item"') ? 'found' : 'none');
  }
  if (method === 'Query') {
    return `${/"Count":(\d+)/.exec(body)?.[1] ?? '0'} due`;
  }
  return method === 'BatchGetItem' ? 'read' : 'written';
}

/** One line of an order's history. */
export interface Change {
  readonly kind:
    | 'created'
    | 'moved'
    | 'closing'
    | 'checked'
    | 'mismatch'
    | 'reserved'
    | 'refund'
    | 'archived'
    | 'other';
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly isWritten: boolean;
  readonly condition: string | undefined;
}

export function describeWrite({ request, response, method }: LocalMessage): Change {
  const parsed = parse(request.body);
  const { UpdateExpression: update = '', ExpressionAttributeValues: values = {} } = parsed;
  const shared = { isWritten: response?.status === 200, condition: parsed.ConditionExpression };
  if (request.body.includes('"NOTIFICATION#')) {
    return { kind: 'archived', ...shared };
  }
  if (request.body.includes('"REFUND#')) {
    return { kind: /"Put":/.test(request.body) ? 'reserved' : 'refund', ...shared };
  }
  if (method === 'PutItem' || method === 'TransactWriteItems') {
    return { kind: 'created', to: parsed.Item?.['tradeState']?.S ?? 'NOTPAY', ...shared };
  }
  if (values[':to']?.S !== undefined) {
    return { kind: 'moved', from: values[':from']?.S, to: values[':to'].S, ...shared };
  }
  if (update.includes('closingAt')) {
    return { kind: 'closing', ...shared };
  }
  if (update.includes('checkedAt')) {
    return { kind: 'checked', ...shared };
  }
  return { kind: update.includes('mismatch') ? 'mismatch' : 'other', ...shared };
}

function parse(body: string): TableRequest {
  try {
    return JSON.parse(body) as TableRequest;
  } catch {
    return {};
  }
}
