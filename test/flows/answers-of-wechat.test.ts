/** The functions meet what WeChat may answer: coupons, foreign money, states in between, errors in every form. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';
import { type Buyer, call, eventually, type Failure, logIn } from '../support/shop.ts';
import { openConsole, type StackConsole } from '../support/stack-console.ts';

const latte = { items: [{ sku: 'latte', quantity: 1 }] };

describe.each(['v2', 'v3'] as const)('by API %s', (apiVersion) => {
  let stack: Stack;
  let merchantConsole: StackConsole;
  let alice: Buyer;

  beforeAll(async () => {
    vi.resetModules();
    stack = await startStack({
      inMemory: true,
      port: 0,
      simulatorPort: 0,
      schedule: false,
      log: 'silent',
      apiVersion,
    });
    merchantConsole = openConsole(stack);
    alice = await logIn(stack, 'alice');
  });
  afterEach(() => merchantConsole.clearFaults());
  afterAll(async () => {
    merchantConsole.close();
    await stack.stop();
  });

  async function order() {
    const prepaid = await alice.prepay(latte);
    expect(prepaid.status).toBe(200);
    return prepaid.body.outTradeNo;
  }
  const payAtWechat = (outTradeNo: string, body: object = {}) =>
    merchantConsole.control(`orders/${outTradeNo}/pay`, body);
  const setState = (outTradeNo: string, tradeState: string) =>
    merchantConsole.control(`orders/${outTradeNo}/state`, { tradeState });
  const view = async (outTradeNo: string) => (await alice.order(outTradeNo)).body;
  const paidView = async (outTradeNo: string) =>
    eventually(
      () => view(outTradeNo),
      ({ tradeState }) => tradeState === 'SUCCESS',
    );

  describe.each([
    ['two coupons', { coupons: [{ fen: 100 }, { fen: 300, type: 'NO_CASH' }] }],
    ['foreign money', { payerCurrency: 'HKD', payerTotal: 3080 }],
    ['both', { payerCurrency: 'JPY', coupons: [{ fen: 800 }] }],
  ])('an order that is paid with %s', (_, payment) => {
    test('is SUCCESS for its own price, by the notification', async () => {
      const outTradeNo = await order();
      await payAtWechat(outTradeNo, payment);

      expect(await paidView(outTradeNo)).toMatchObject({ totalFen: 2800 });
      await eventually(
        () => merchantConsole.booked(outTradeNo),
        ({ notifications }) => notifications[0]?.state === 'acknowledged',
      );
    });

    test('is SUCCESS for its own price, by the query', async () => {
      await merchantConsole.setFault({ point: 'notify', kind: 'lost' });
      const outTradeNo = await order();
      await payAtWechat(outTradeNo, payment);

      expect(await view(outTradeNo)).toMatchObject({ tradeState: 'SUCCESS', totalFen: 2800 });
    });
  });

  test.each(['USERPAYING', 'ACCEPT', 'PAYERROR'])(
    'an order that WeChat calls %s stays open, and is paid later',
    async (state) => {
      const outTradeNo = await order();
      await setState(outTradeNo, state);

      expect(await view(outTradeNo)).toMatchObject({ tradeState: 'NOTPAY' });
      await payAtWechat(outTradeNo);
      expect(await paidView(outTradeNo)).toMatchObject({ totalFen: 2800 });
    },
  );

  test('an order that WeChat calls REVOKED is closed', async () => {
    const outTradeNo = await order();
    await setState(outTradeNo, 'REVOKED');

    expect(await view(outTradeNo)).toMatchObject({ tradeState: 'CLOSED' });
  });

  describe('when WeChat cannot order', () => {
    test.each<[string, number, object]>([
      ['HTML', 503, { kind: 'html' }],
      ['an HTML page with status 200', 502, { kind: 'html', status: 200 }],
      ['half an answer', 502, { kind: 'truncated' }],
      ['an answer that breaks off', 503, { kind: 'cut' }],
      ['busy', 503, { kind: 'error', code: 'SYSTEMERROR' }],
      ['busy, unsigned', 503, { kind: 'error', code: 'SYSTEMERROR', signed: false }],
    ])('(%s: %i), a repeat under the same key makes the one order', async (_, status, fault) => {
      const key = randomUUID();
      await merchantConsole.setFault({ point: 'unifiedorder', ...fault });
      const lost = await alice.prepay<Failure>(latte, key);
      expect(lost.status).toBe(status);
      await merchantConsole.clearFaults();

      const again = await alice.prepay(latte, key);

      expect(again.status).toBe(200);
      await payAtWechat(again.body.outTradeNo);
      expect(await paidView(again.body.outTradeNo)).toMatchObject({ totalFen: 2800 });
    });

    // v2 has no detail: there the code alone is the same.
    test.each([
      [{ field: '/amount/total', value: '0', issue: 'too small', location: 'body' }],
      [{ location: 'body', value: '/body/payer/openid' }],
      [{ detail: { issue: 'sign not match' }, field: 'signature', location: 'authorization' }],
      [{}],
      [''],
      [[]],
      [null],
    ])('because of permissions, the detail %j changes nothing', async (detail) => {
      const refuse = async (more: object) => {
        await merchantConsole.clearFaults();
        const fault = { point: 'unifiedorder', kind: 'error', code: 'NO_AUTH', ...more };
        await merchantConsole.setFault(fault);
        const { status, body } = await alice.prepay<Failure>(latte);
        return [status, body.error.code];
      };
      const plain = await refuse({});

      expect(plain[0]).toBeGreaterThanOrEqual(400);
      expect(plain[1]).not.toBe('INTERNAL_ERROR');
      expect(await refuse({ detail })).toEqual(plain);
    });
  });

  test.each(['html', 'truncated', 'cut'])(
    'a query that ends as %s leaves the order as it is, and the next one finds the payment',
    async (kind) => {
      await merchantConsole.setFault({ point: 'notify', kind: 'lost' });
      const outTradeNo = await order();
      await payAtWechat(outTradeNo);
      await merchantConsole.setFault({ point: 'orderquery', kind });

      const asked = await alice.order<Failure>(outTradeNo);
      expect([200, 503]).toContain(asked.status);
      expect(JSON.stringify(asked.body)).not.toContain('SUCCESS');
      await merchantConsole.clearFaults();

      await stack.advanceClock(60);
      await stack.invoke('reconcile');
      expect(await view(outTradeNo)).toMatchObject({ tradeState: 'SUCCESS' });
    },
  );

  test('an order whose buyer is at the password is not closed when its time is over', async () => {
    const outTradeNo = await order();
    await setState(outTradeNo, 'USERPAYING');
    await stack.advanceClock(1801);
    await stack.invoke('reconcile');
    expect((await merchantConsole.booked(outTradeNo)).tradeState).toBe('USERPAYING');
    alice = await logIn(stack, 'alice');
    expect(await view(outTradeNo)).toMatchObject({ tradeState: 'NOTPAY' });

    await setState(outTradeNo, 'NOTPAY');
    await stack.advanceClock(3600);
    await stack.invoke('reconcile');
    alice = await logIn(stack, 'alice');
    expect(await view(outTradeNo)).toMatchObject({ tradeState: 'CLOSED' });
  });

  test.each<[string, object]>([
    ['HTML', { kind: 'html' }],
    ['half an answer', { kind: 'truncated' }],
    ['an answer that breaks off', { kind: 'cut' }],
    ...[
      -1, 40001, 40002, 40013, 40029, 40066, 40125, 40163, 40164, 40226, 40243, 41002, 41004, 41008,
      43001, 43003, 44990, 45009, 45011, 45035, 48001, 48004, 50001, 50002, 61004,
    ].map((code): [string, object] => [`errcode ${code}`, { kind: 'error', code }]),
  ])('a login that meets %s has a code, and the next tap logs in', async (_, fault) => {
    await merchantConsole.setFault({ point: 'code2session', ...fault });
    const { code } = await merchantConsole.control<{ code: string }>('login', { user: 'bob' });
    const answer = await call<Failure>(`${stack.apiUrl}/login`, 'POST', { code });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body.error.code).toMatch(/^(LOGIN_|WEIXIN_|CONFIG_ERROR)/);
    await merchantConsole.clearFaults();

    expect((await logIn(stack, 'bob')).token).toMatch(/^ey/);
  });
});
