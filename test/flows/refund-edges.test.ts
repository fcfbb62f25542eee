import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readProjectFile } from '../repo/project.ts';
import { type Answer, type Buyer, call, eventually, logIn } from '../support/shop.ts';
import { signHeaders } from '../support/sigv4-client.ts';
import { freePort, type StackProcess, startStackProcess } from '../support/stack-process.ts';

interface RefundAnswer {
  readonly outRefundNo: string;
  readonly refundFen: number;
  readonly status: string;
}

interface Message {
  readonly to: string;
  readonly method: string;
  readonly functionName?: string;
  readonly request: { readonly body: string };
}

const latte = { items: [{ sku: 'latte', quantity: 1 }] };

describe.each(['v2', 'v3'] as const)('refunds of API %s from outside', (apiVersion) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-refunds-'));
  let stack: StackProcess;
  let alice: Buyer;

  beforeAll(async () => {
    const ports = { api: await freePort(), simulator: await freePort() };
    stack = await startStackProcess(dataDir, ports, apiVersion);
    alice = await logIn(stack, 'alice');
  });
  afterAll(async () => {
    await stack.end('SIGINT');
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** A paid order of ¥28.00. */
  async function buy(): Promise<string> {
    const { body } = await alice.prepay(latte);
    await alice.pay(body.requestPayment);
    await eventually(
      async () => (await alice.order(body.outTradeNo)).body.tradeState,
      (state) => state === 'SUCCESS',
    );
    return body.outTradeNo;
  }

  async function signed<T>(
    method: string,
    path: string,
    content?: object,
    key?: string,
  ): Promise<Answer<T>> {
    const url = `${stack.apiUrl}${path}`;
    const body = content && JSON.stringify(content);
    const headers = await signHeaders(url, method, body, {
      headers: key === undefined ? {} : { 'idempotency-key': key },
    });
    const answer = await fetch(url, { method, headers, ...(body && { body }) });
    const { status, headers: received } = answer;
    return { status, headers: received, body: (await answer.json()) as T };
  }

  const ended = (path: string, status: string) =>
    eventually(
      async () => (await signed<RefundAnswer>('GET', path)).body.status,
      (seen) => seen === status,
    );

  async function curl(...more: string[]): Promise<string[]> {
    const key = ['--aws-sigv4', 'aws:amz:us-east-1:execute-api', '--user', 'local:local'];
    const output = ['--silent', '--write-out', '\n%{http_code}'];
    const { stdout } = await promisify(execFile)('curl', [...key, ...output, ...more]);
    return stdout.split('\n');
  }

  test('curl gives a part back, and the same part once more changes nothing', async () => {
    const outTradeNo = await buy();
    const url = `${stack.apiUrl}/orders/${outTradeNo}/refunds`;
    const request = ['--header', 'idempotency-key: return-1', '--data', '{"refundFen":800}', url];
    const [first = '', created] = await curl(...request);
    const [again = '', repeated] = await curl(...request);
    const { outRefundNo } = JSON.parse(first) as RefundAnswer;

    expect([created, repeated]).toEqual(['201', '200']);
    expect(JSON.parse(first)).toMatchObject({
      outTradeNo,
      refundFen: 800,
      status: 'PROCESSING',
      source: 'API',
    });
    expect(JSON.parse(again)).toMatchObject({ outRefundNo, refundFen: 800 });
    await ended(`/orders/${outTradeNo}/refunds/${outRefundNo}`, 'SUCCESS');
    expect(await signed('GET', `/orders/${outTradeNo}/refunds`)).toMatchObject({
      status: 200,
      body: { refunds: [{ outRefundNo, status: 'SUCCESS' }], refundableFen: 2000 },
    });
    expect((await call(`${stack.apiUrl}/_local/orders/${outTradeNo}`)).body).toMatchObject({
      row: { tradeState: 'REFUND', refundableFen: 2000 },
      refunds: [{ SK: `REFUND#${outRefundNo}`, refundFen: 800, status: 'SUCCESS' }],
    });
  });

  test('nobody gets in without a signature, a buyer with a token neither', async () => {
    const outTradeNo = await buy();
    const url = `${stack.apiUrl}/orders/${outTradeNo}/refunds`;
    const headers = { 'idempotency-key': 'return-1', authorization: 'Bearer abc' };
    const answers = [
      await fetch(url, { method: 'POST', body: '{}' }),
      await fetch(url, { method: 'POST', body: '{}', headers }),
      await fetch(url),
    ];

    for (const answer of answers) {
      expect(answer.status).toBe(403);
      expect(await answer.json()).toEqual({ message: 'Forbidden' });
    }
    expect((await signed('GET', `/orders/${outTradeNo}/refunds`)).body).toEqual({
      refunds: [],
      refundableFen: 2800,
    });
  });

  test('what the functions ask of the table is what their roles allow', async () => {
    const outTradeNo = await buy();
    const path = `/orders/${outTradeNo}/refunds`;
    const { body } = await signed<RefundAnswer>('POST', path, { refundFen: 100 }, 'return-1');
    await signed('POST', path, { outRefundNo: `R-${apiVersion}`, refundFen: 200 });
    await call(`${stack.simulatorUrl}/_simulator/refunds/${body.outRefundNo}`, 'POST', {
      status: 'ABNORMAL',
    });
    // The console reports in the format of v2, whatever the order's version.
    const notifyUrl = `${stack.apiUrl}/notify/v2/refund`;
    const byHand = await call(
      `${stack.simulatorUrl}/_simulator/orders/${outTradeNo}/refund-in-console`,
      'POST',
      { refundFen: 50, notifyUrl },
    );
    expect(byHand.status).toBe(200);
    const settled = await eventually(
      async () => {
        await call(`${stack.apiUrl}/_local/clock`, 'POST', { advanceSeconds: 61 });
        return (await signed<{ refunds: RefundAnswer[] }>('GET', path)).body;
      },
      ({ refunds }) =>
        refunds.length === 3 && refunds.every(({ status }) => /^(SUCCESS|ABNORMAL)$/.test(status)),
    );
    expect(settled).toMatchObject({
      refunds: expect.arrayContaining([
        expect.objectContaining({ source: 'CONSOLE', refundFen: 50, status: 'SUCCESS' }),
      ]),
      refundableFen: 2450,
    });
    const end =
      apiVersion === 'v3' ? { to: 'MERCHANT_ACCOUNT' } : { to: 'OTHERWISE', note: 'bank' };
    const answer = await signed('POST', `${path}/${body.outRefundNo}/abnormal`, end, 'end-1');
    expect(answer.status).toBeLessThan(300);
    const messages = await call<{ messages: Message[] }>(`${stack.apiUrl}/_local/messages`);
    const used = actionsUsed(messages.body.messages);

    expect(used.get('refund')).toEqual(
      new Set(['BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem']),
    );
    const refused = [...used].map(([name, actions]) => [
      name,
      [...actions.difference(actionsAllowed(name))],
    ]);
    expect(used.get('reconcile')).toContain('PutItem');
    expect(used.get('notify')).not.toContain('PutItem');
    expect(Object.fromEntries(refused)).toEqual({
      prepay: [],
      notify: [],
      query: [],
      refund: [],
      reconcile: [],
      publish: [],
    });
  });
});

/** Parts of a transaction, in the words of IAM. */
const PARTS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

function actionsUsed(messages: readonly Message[]): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  for (const { to, method, functionName, request } of messages) {
    if (to === 'table' && functionName !== undefined) {
      const { TransactItems = [] } = JSON.parse(request.body) as { TransactItems?: object[] };
      const actions =
        method === 'TransactWriteItems'
          ? TransactItems.flatMap(Object.keys).map((part) => PARTS[part] ?? part)
          : [method];
      used.set(functionName, (used.get(functionName) ?? new Set()).union(new Set(actions)));
    }
  }
  return used;
}

function actionsAllowed(functionName: string): Set<string> {
  const files = ['deploy/roles.yml', 'deploy/events.yml'].map((file) =>
    parse(readProjectFile(file)),
  );
  const Resources = Object.assign({}, ...files.map((file) => file.Resources));
  const role = `${functionName.replace(/^./, (letter) => letter.toUpperCase())}Role`;
  const statements: { Action: string | string[] }[] =
    Resources[role].Properties.Policies[0].PolicyDocument.Statement;
  return new Set(
    statements
      .flatMap(({ Action }) => Action)
      .filter((action) => action.startsWith('dynamodb:'))
      .map((action) => action.slice('dynamodb:'.length)),
  );
}
