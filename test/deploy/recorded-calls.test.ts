/** What the functions really ask of AWS, against the policies that the template gives them. */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMerchant } from '../../simulator/create-merchant.ts';
import { jwt } from '../support/jwt.ts';
import { productRow, putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { IN_LAMBDA } from '../support/test-machine.ts';
import { openWorld, type World } from '../support/world.ts';
import { evaluate, SINGAPORE } from './cloudformation.ts';
import {
  ACCOUNT,
  arnOf,
  BUCKET,
  BUS,
  type Need,
  openNeeds,
  SECRETS,
  STREAM,
  TABLE,
} from './needs.ts';
import { FUNCTIONS, logicalIdOf, type Packaged, packageProduction } from './packaged.ts';
import { checkBills, publishRows } from './recorded-runs.ts';

const QUOTE_KEY = 'a key of the shop’s own backend, long enough';

const openTable = useEmbeddedTables();
const needs = openNeeds();
let packaged: Packaged;

async function refundInConsole(control: World['control'], outTradeNo: string, body: object) {
  expect(await control('POST', `/orders/${outTradeNo}/refund-in-console`, body)).not.toHaveProperty(
    'error',
  );
}

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
  await refundInConsole(control, byHand, { refundFen: 100 });
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
    environment: { ...IN_LAMBDA, OPEN_ORDERS_PER_BUYER: '50' },
    onAwsCall: needs.hear,
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
  // Paid and refunded in the console, and WeChat's messages about both are lost; its buyer asks
  // before WeChat repeats them.
  const lost = await order('tap-lost', 'latte');
  await control('POST', '/faults', { point: 'notify', kind: 'lost' });
  await pay(lost);
  await refundInConsole(control, lost.outTradeNo, {});
  await machine.advance(10_000);
  await api('GET', `/orders/${lost.outTradeNo}`, undefined, headers);
  await control('DELETE', '/faults');
  if (apiVersion === 'v3') {
    await refundEverything(world, [quoted.outTradeNo, paid.outTradeNo]);
  }
  for (let minutes = 0; minutes < 45; minutes += 5) {
    await machine.advance(300_000);
    await world.reconcile();
  }
  await world.stop();
  await publishRows(table, (operation, input) => needs.hear('publish', operation, input));
}

beforeAll(async () => {
  packaged = await packageProduction();
  await live('v2');
  await live('v3');
  await checkBills(await openTable(), (operation, input) => needs.hear('bill', operation, input));
});

afterAll(() => packaged.remove());

/** The role's policies, their references made ARNs. */
function policiesOf(name: string): { Statement: { Action: string[]; Resource: string[] }[] }[] {
  const { Properties } = packaged.resource(`${logicalIdOf(name)}Role`);
  const policies = evaluate(packaged.template, SINGAPORE, Properties['Policies'] ?? null) as {
    PolicyDocument: object;
  }[];
  return policies.map(({ PolicyDocument }) => {
    const text = JSON.stringify(PolicyDocument)
      .replaceAll('"Table.Arn', `"${TABLE}`)
      .replaceAll('"Table.StreamArn', `"${STREAM}`)
      .replaceAll('"EventBus.Arn', `"${BUS}`)
      .replaceAll('"FailedEventsBucket.Arn', `"${BUCKET}`)
      .replaceAll('"MiniProgramSecret"', JSON.stringify(SECRETS['world/mini-program']))
      .replaceAll('"MerchantSecret"', JSON.stringify(SECRETS['world/merchant']))
      .replaceAll(/"(\w+LogGroup)\.Arn"/g, `"${arnOf('logs', 'log-group:$1:*')}"`);
    return JSON.parse(text);
  });
}

async function decide(name: string, need: Need): Promise<string> {
  const [action = '', resource = ''] = need.split(' on ');
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/${name}`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: needs.contextOf(name, need),
      },
      identityPolicies: policiesOf(name).map((policy, index) => ({
        name: `${name}-${index}`,
        policy,
      })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  return result.resultType === 'error' ? JSON.stringify(result.errors) : result.overallResult;
}

describe.each(FUNCTIONS)('%s', (name) => {
  test('is allowed everything that it was seen to ask', async () => {
    const seen = needs.of(name);
    const decisions = await Promise.all(seen.map((need) => decide(name, need)));

    expect(seen).not.toEqual([]);
    expect(seen.filter((_, index) => decisions[index] !== 'Allowed')).toEqual([]);
  });

  test('is denied what the others do and it does not', async () => {
    const granted = grantsOf(name);
    const foreign = [...new Set(FUNCTIONS.flatMap((each) => needs.of(each)))].filter(
      (need) => !granted.includes(need),
    );
    const decisions = await Promise.all(foreign.map((need) => decide(name, need)));

    expect(foreign).not.toEqual([]);
    expect(new Set(decisions)).toEqual(new Set(['ImplicitlyDenied']));
  });
});

const grantsOf = (name: string) =>
  policiesOf(name)
    .flatMap(({ Statement }) => Statement)
    .flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .flatMap((action) => [Resource].flat().map((each): Need => `${action} on ${each}`)),
    )
    .filter((grant) => !grant.startsWith('logs:'));

/** What the runs above do not show, each with who asks it and when. */
const UNSEEN: Readonly<Record<string, Readonly<Record<Need, string>>>> = {
  notify: {
    [`dynamodb:GetItem on ${TABLE}`]:
      'a payment whose time cannot be right is judged by its row before anything is written',
  },
  publish: {
    [`dynamodb:DescribeStream on ${STREAM}`]: 'Lambda, which reads the stream with this role',
    [`dynamodb:GetRecords on ${STREAM}`]: 'Lambda, likewise',
    [`dynamodb:GetShardIterator on ${STREAM}`]: 'Lambda, likewise',
    [`dynamodb:ListStreams on ${STREAM}`]: 'Lambda, likewise',
    [`s3:PutObject on ${BUCKET}/*`]: 'Lambda, with a batch that failed for good',
    [`s3:ListBucket on ${BUCKET}`]: 'Lambda, before it accepts the bucket as a destination',
  },
};

test.each(FUNCTIONS)('%s is granted nothing but what it was seen to ask, or is said to', (name) => {
  const seen = [...needs.of(name), ...Object.keys(UNSEEN[name] ?? {})];

  expect(grantsOf(name).toSorted()).toEqual(seen.toSorted());
});
