/** Which actions on which resources AWS authorizes the calls of functions as. */
import { SINGAPORE } from './cloudformation.ts';

export const ACCOUNT = SINGAPORE['AWS::AccountId'];

export const arnOf = (service: string, resource: string) =>
  `arn:aws:${service}:${SINGAPORE['AWS::Region']}:${ACCOUNT}:${resource}`;

export const TABLE = arnOf('dynamodb', 'table/orders');
export const STREAM = `${TABLE}/stream/2026-03-01T00:00:00.000`;
export const BUS = arnOf('events', 'event-bus/stage');
export const BUCKET = 'arn:aws:s3:::failed';
const MINI_PROGRAM = arnOf('secretsmanager', 'secret:mini-program-a1B2c3');
const MERCHANT = arnOf('secretsmanager', 'secret:merchant-a1B2c3');
export const SECRETS: Readonly<Record<string, string>> = {
  'world/mini-program': MINI_PROGRAM,
  'world/merchant': MERCHANT,
  'mini-program': MINI_PROGRAM,
  merchant: MERCHANT,
};

/** What a function was seen to need: an action on a resource. */
export type Need = `${string} on ${string}`;

interface Input {
  readonly SecretId?: string;
  readonly IndexName?: string;
  readonly Entries?: readonly unknown[];
  readonly Item?: Readonly<Record<string, { readonly S?: string }>>;
  readonly TransactItems?: readonly Readonly<Record<string, unknown>>[];
}

const PARTS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

/** A transaction is authorized as each of its parts. */
function needsOf(operation: string, input: Input): Need[] {
  const { SecretId, IndexName, Entries, TransactItems } = input;
  if (SecretId !== undefined) {
    return [`secretsmanager:${operation} on ${SECRETS[SecretId]}`];
  }
  if (Entries !== undefined) {
    return [`events:${operation} on ${BUS}`];
  }
  if (TransactItems !== undefined) {
    return TransactItems.flatMap(Object.keys).map((part): Need => {
      return `dynamodb:${PARTS[part]} on ${TABLE}`;
    });
  }
  const index = IndexName === undefined ? '' : `/index/${IndexName}`;
  return [`dynamodb:${operation} on ${TABLE}${index}`];
}

/** What IAM sees of a row that is put; the sets of several calls are put together. */
interface Context {
  readonly keys: Set<string>;
  readonly attributes: Set<string>;
}

/** Collects what functions ask for, by their names. */
export function openNeeds() {
  const seen = new Map<string, Map<Need, Context>>();
  return {
    hear: (name: string, operation: string, input: Input): void => {
      const needs = seen.get(name) ?? new Map<Need, Context>();
      seen.set(name, needs);
      for (const need of needsOf(operation, input)) {
        const context = needs.get(need) ?? { keys: new Set(), attributes: new Set() };
        needs.set(need, context);
        for (const [attribute, value] of Object.entries(input.Item ?? {})) {
          context.attributes.add(attribute);
          if (attribute === 'PK') {
            context.keys.add(value.S ?? '');
          }
        }
      }
    },
    of: (name: string): Need[] => [...(seen.get(name)?.keys() ?? [])],
    contextOf(name: string, need: Need): Record<string, string[]> {
      const { keys, attributes } = seen.get(name)?.get(need) ?? {};
      return keys?.size && attributes
        ? { 'dynamodb:LeadingKeys': [...keys], 'dynamodb:Attributes': [...attributes] }
        : {};
    },
  };
}
