/** What the functions really ask of AWS, against the policies that the template gives them. */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMerchant } from '../../simulator/create-merchant.ts';
import { jwt } from '../support/jwt.ts';
import { productRow, putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { IN_LAMBDA } from '../support/test-machine.ts';
import { openWorld, type World } from '../support/world.ts';
import { evaluate, SINGAPORE } from './cloudformation.ts';
import { logicalIdOf, type Packaged, packageProduction } from './packaged.ts';

const ACCOUNT = SINGAPORE['AWS::AccountId'];
const arn = (service: string, resource: string) =>
  `arn:aws:${service}:${SINGAPORE['AWS::Region']}:${ACCOUNT}:${resource}`;
const TABLE = arn('dynamodb', 'table/orders');
const SECRETS: Readonly<Record<string, string>> = {
  'world/mini-program': arn('secretsmanager', 'secret:mini-program-a1B2c3'),
  'world/merchant': arn('secretsmanager', 'secret:merchant-a1B2c3'),
};

/** What a function was seen to need: an action on a resource. */
type Need = `${string} on ${string}`;

interface Input {
  readonly SecretId?: string;
  readonly IndexName?: string;
  readonly TransactItems?: readonly Readonly<Record<string, unknown>>[];
}

const PARTS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

/** Which actions AWS authorizes a call as. A transaction is authorized as each of its parts. */
function needsOf(operation: string, { SecretId, IndexName, TransactItems }: Input): Need[] {
  if (SecretId !== undefined) {
    return [`secretsmanager:${operation} on ${SECRETS[SecretId]}`];
  }
  if (TransactItems !== undefined) {
    return TransactItems.flatMap(Object.keys).map((part): Need => {
      return `dynamodb:${PARTS[part]} on ${TABLE}`;
    });
  }
  const index = IndexName === undefined ? '' : `/index/${IndexName}`;
  return [`dynamodb:${operation} on ${TABLE}${index}`];
}

const QUOTE_KEY = 'a key of the shop’s own backend, long enough';

const openTable = useEmbeddedTables();
const needs = new Map<string, Set<Need>>();
let packaged: Packaged;

/** One of the shop's, looked at and listed; one in WeChat's console, which nobody here made. */
async function refundEverything(
  { api, control, machine }: World,
  [ours = '', byHand = '']: string[],
): Promise<void> {
  const path = `/orders/${ours}/refunds`;
  const refund = await api('POST', path, { refundFen: 100 }, { 'idempotency-key': 'refund-1' });
  expect(refund.status).toBe(201);
  await api('GET', path);
  await api('GET', `${path}/${String(refund.body['outRefundNo'])}`);
  await control('POST', `/orders/${byHand}/refunds`, { refundFen: 100 });
  await machine.advance(60_000);
}

/** Login, orders that are paid, lost, given up, abandoned and repeated, in one version of the API. */
async function live(apiVersion: 'v2' | 'v3'): Promise<void> {
  const table = await openTable();
  await putRow(table, productRow('latte', { priceFen: 2800 }));
  await putRow(table, productRow('tea', { priceFen: 1500 }));
  const world = await openWorld({
    seed: `calls-${apiVersion}`,
    apiVersion,
    credentials: await createMerchant(),
    table,
    shop: { miniProgram: { quoteKey: QUOTE_KEY } },
    environment: IN_LAMBDA,
    onAwsCall: (name, operation, input) => {
      const seen = needs.get(name) ?? new Set();
      needs.set(name, seen);
      for (const need of needsOf(operation, input)) {
        seen.add(need);
      }
    },
  });
  const { api, control, machine } = world;
  const { code } = await control('POST', '/login', { user: 'alice' });
  const { body } = await api('POST', '/login', { code });
  const headers = { authorization: `Bearer ${String(body['token'])}` };
  const order = async (key: string, ...skus: string[]) =>
    place(key, { items: skus.map((sku) => ({ sku, quantity: 1 })) });
  const place = async (key: string, cart: object) => {
    const reply = await api('POST', '/prepay', cart, { ...headers, 'idempotency-key': key });
    expect(reply.status).toBe(200);
    return reply.body as { outTradeNo: string; requestPayment: object };
  };
  const pay = ({ requestPayment }: { requestPayment: object }) =>
    control('POST', '/request-payment', { user: 'alice', ...requestPayment });

  const nowEpochSeconds = Math.floor(machine.nowMs() / 1000);
  const quote = jwt(
    {
      outTradeNo: 'quoted-0001',
      totalFen: 900,
      description: 'A table of one’s own',
      iat: nowEpochSeconds,
      exp: nowEpochSeconds + 600,
    },
    QUOTE_KEY,
  );
  const quoted = await place('tap-quoted', { quote });
  await pay(quoted);
  const paid = await order('tap-paid', 'latte', 'tea');
  await pay(paid);
  await machine.advance(5_000);
  await api('GET', `/orders/${paid.outTradeNo}`, undefined, headers);
  const asked = await order('tap-asked', 'latte');
  await machine.advance(10_000);
  await api('GET', `/orders/${asked.outTradeNo}`, undefined, headers);
  const givenUp = await order('tap-given-up', 'latte');
  await api('POST', `/orders/${givenUp.outTradeNo}/close`, undefined, headers);
  // Paid and refunded in the console, and WeChat's messages about both are lost.
  const lost = await order('tap-lost', 'latte');
  await control('POST', '/faults', { point: 'notify', kind: 'lost' });
  await pay(lost);
  await control('POST', `/orders/${lost.outTradeNo}/refunds`, {});
  await machine.advance(5_000);
  await control('DELETE', '/faults');
  if (apiVersion === 'v3') {
    await refundEverything(world, [quoted.outTradeNo, paid.outTradeNo]);
  }
  for (let minutes = 0; minutes < 45; minutes += 5) {
    await machine.advance(300_000);
    await world.reconcile();
  }
  await world.stop();
}

beforeAll(async () => {
  packaged = await packageProduction();
  await live('v2');
  await live('v3');
});

afterAll(() => packaged.remove());

/** The role's policy, its references made ARNs. */
function policyOf(name: string): { Statement: { Action: string[]; Resource: string[] }[] } {
  const { Properties } = packaged.resource(`${logicalIdOf(name)}Role`);
  const [policy] = evaluate(packaged.template, SINGAPORE, Properties['Policies'] ?? null) as {
    PolicyDocument: object;
  }[];
  const text = JSON.stringify(policy?.PolicyDocument)
    .replaceAll('"Table.Arn', `"${TABLE}`)
    .replaceAll('"MiniProgramSecret"', JSON.stringify(SECRETS['world/mini-program']))
    .replaceAll('"MerchantSecret"', JSON.stringify(SECRETS['world/merchant']))
    .replaceAll(/"(\w+LogGroup)\.Arn"/g, `"${arn('logs', 'log-group:$1:*')}"`);
  return JSON.parse(text);
}

async function decide(name: string, need: Need): Promise<string> {
  const [action = '', resource = ''] = need.split(' on ');
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/${name}`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: {},
      },
      identityPolicies: [{ name, policy: policyOf(name) }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  return result.resultType === 'error' ? JSON.stringify(result.errors) : result.overallResult;
}

const BUYERS = ['login', 'prepay', 'query', 'close'];

const ALL = [...BUYERS, 'notify', 'refund', 'reconcile'];

describe.each(ALL)('%s', (name) => {
  test('is allowed everything that it was seen to ask', async () => {
    const seen = [...(needs.get(name) ?? [])];
    const decisions = await Promise.all(seen.map((need) => decide(name, need)));

    expect(seen).not.toEqual([]);
    expect(seen.filter((_, index) => decisions[index] !== 'Allowed')).toEqual([]);
  });

  test('is denied what the others do and it does not', async () => {
    const granted = grantsOf(name);
    const foreign = [...new Set([...needs.values()].flatMap((seen) => [...seen]))].filter(
      (need) => !granted.includes(need),
    );
    const decisions = await Promise.all(foreign.map((need) => decide(name, need)));

    expect(foreign).not.toEqual([]);
    expect(new Set(decisions)).toEqual(new Set(['ImplicitlyDenied']));
  });
});

const grantsOf = (name: string) =>
  policyOf(name)
    .Statement.flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .flatMap((action) => [Resource].flat().map((each): Need => `${action} on ${each}`)),
    )
    .filter((grant) => !grant.startsWith('logs:'));

/** For turns of a refund that the life above does not take. */
const SELDOM: Readonly<Record<string, readonly Need[]>> = {
  notify: [`dynamodb:GetItem on ${TABLE}`],
  reconcile: [`dynamodb:BatchGetItem on ${TABLE}`, `dynamodb:PutItem on ${TABLE}`],
};

test.each(ALL)('%s is granted nothing beyond what it was seen to ask', (name) => {
  const seen = [...(needs.get(name) ?? []), ...(SELDOM[name] ?? [])];

  expect(grantsOf(name).toSorted()).toEqual(seen.toSorted());
});
