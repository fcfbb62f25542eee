import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';
import { type Buyer, call, eventually, type Failure, logIn } from '../support/shop.ts';

let stack: Stack;
let alice: Buyer;

beforeAll(async () => {
  stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    log: 'silent',
  });
  alice = await logIn(stack, 'alice');
});
afterEach(() => call(`${stack.simulatorUrl}/_simulator/faults`, 'DELETE'));
afterAll(() => stack.stop());

const latte = { items: [{ sku: 'latte', quantity: 1 }] };

async function setFault(fault: Record<string, unknown>) {
  const { status } = await call(`${stack.simulatorUrl}/_simulator/faults`, 'POST', fault);
  expect(status).toBe(200);
}

const book = async () =>
  (
    await call<{ orders: { outTradeNo: string; tradeState: string }[] }>(
      `${stack.simulatorUrl}/_simulator/orders`,
    )
  ).body.orders;

const stateOf = async (outTradeNo: string) => (await alice.order(outTradeNo)).body.tradeState;

test('when unifiedorder never sees a request, a repeat under the same key makes the order', async () => {
  await setFault({ point: 'unifiedorder', kind: 'timeout-before', times: 2 });
  const key = randomUUID();

  const lost = await alice.prepay<Failure>(latte, key);
  expect(lost.status).toBe(503);
  expect(lost.body.error.code).toBe('WECHAT_UNREACHABLE');
  await call(`${stack.simulatorUrl}/_simulator/faults`, 'DELETE');
  const again = await alice.prepay(latte, key);

  expect(again.status).toBe(200);
  const { outTradeNo, requestPayment } = again.body;
  expect((await book()).filter((order) => order.outTradeNo === outTradeNo)).toHaveLength(1);
  expect((await alice.pay(requestPayment)).body.errMsg).toBe('requestPayment:ok');
  await eventually(
    () => stateOf(outTradeNo),
    (state) => state === 'SUCCESS',
  );
});

describe('when closeorder gives no answer', () => {
  test.each([
    ['after the effect, the query of the same run finds the order closed', 'timeout-after', 1],
    ['before the effect, the order stays open and a later run closes it', 'timeout-before', 0],
  ])('%s', async (_, kind, closedAtOnce) => {
    await stack.advanceClock(1801);
    await stack.invoke('reconcile');
    alice = await logIn(stack, 'alice');
    const { outTradeNo } = (await alice.prepay(latte)).body;
    await setFault({ point: 'closeorder', kind });
    await stack.advanceClock(1801);

    expect(await stack.invoke('reconcile')).toMatchObject({ due: 1, closed: closedAtOnce });
    await call(`${stack.simulatorUrl}/_simulator/faults`, 'DELETE');
    await stack.advanceClock(400);
    expect(await stack.invoke('reconcile')).toMatchObject({ closed: 1 - closedAtOnce, failed: 0 });

    alice = await logIn(stack, 'alice');
    expect(await stateOf(outTradeNo)).toBe('CLOSED');
  });
});

describe('when code2session', () => {
  test.each([
    ['40029', 400, 'LOGIN_CODE_INVALID'],
    ['40163', 400, 'LOGIN_CODE_USED'],
    ['45011', 429, 'LOGIN_TOO_OFTEN'],
    ['40226', 403, 'LOGIN_USER_BLOCKED'],
    ['-1', 503, 'WEIXIN_BUSY'],
    ['40125', 500, 'CONFIG_ERROR'],
  ])('answers %s, the client gets %i %s', async (errcode, status, code) => {
    await setFault({ point: 'code2session', kind: 'error', code: errcode, times: 1 });
    const phone = await call<{ code: string }>(`${stack.simulatorUrl}/_simulator/login`, 'POST', {
      user: 'bob',
    });

    const answer = await call<Failure>(`${stack.apiUrl}/login`, 'POST', phone.body);

    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    expect(JSON.stringify(answer.body)).not.toContain('session_key');
  });
});

test('when the primary host is down, a second tap on "log in" goes to the backup', async () => {
  await setFault({ point: 'host', kind: 'down' });
  const attempt = async () => {
    const phone = await call<{ code: string }>(`${stack.simulatorUrl}/_simulator/login`, 'POST', {
      user: 'carol',
    });
    return (await call<Failure>(`${stack.apiUrl}/login`, 'POST', phone.body)).status;
  };

  expect(await attempt()).toBe(503);
  expect(await attempt()).toBe(200);
});
