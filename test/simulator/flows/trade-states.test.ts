/** States on the way to a payment: at the password, accepted, failed, revoked. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';
import { callV3, placeV3, queryV3 } from '../v3-support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

const setState = async (outTradeNo: string, tradeState: string) =>
  bench.control('POST', `/orders/${outTradeNo}/state`, { tradeState });
const pay = async (outTradeNo: string) => bench.control('POST', `/orders/${outTradeNo}/pay`);
const askV2 = async (outTradeNo: string) =>
  bench.call('/pay/orderquery', { out_trade_no: outTradeNo });
const closeV2 = async (outTradeNo: string) =>
  bench.call('/pay/closeorder', { out_trade_no: outTradeNo });
const closeV3 = async (outTradeNo: string) =>
  callV3(bench, 'POST', `/v3/pay/transactions/out-trade-no/${outTradeNo}/close`, {
    mchid: bench.merchant.mchid,
  });

const OPEN = [
  ['USERPAYING', '需要用户输入支付密码'],
  ['ACCEPT', '已接收，等待扣款'],
  ['PAYERROR', '支付失败(其他原因，如银行返回失败)'],
] as const;

describe.each(OPEN)('%s', (state, text) => {
  test('is what queries of both versions tell, and can still be paid', async () => {
    const number = `state-${state}`;
    await placeV3(bench, number);
    expect((await setState(number, state)).body).toMatchObject({ tradeState: state });
    expect(await askV2(number)).toMatchObject({ trade_state: state, trade_state_desc: text });
    const { json } = await queryV3(bench, number);
    expect(json).toMatchObject({ trade_state: state, trade_state_desc: text });
    expect(json['transaction_id']).toBeUndefined();
    expect((await pay(number)).status).toBe(200);
    expect((await queryV3(bench, number)).json).toMatchObject({ trade_state: 'SUCCESS' });
  });

  test('may be ordered again with the same parameters', async () => {
    await placeV3(bench, `again-${state}`);
    await setState(`again-${state}`, state);
    expect((await placeV3(bench, `again-${state}`)).status).toBe(200);
  });

  test('goes back to NOTPAY, and ends by itself after seven days', async () => {
    await placeV3(bench, `back-${state}`);
    await setState(`back-${state}`, state);
    const back = await setState(`back-${state}`, 'NOTPAY');
    expect(back.body).toMatchObject({ tradeState: 'NOTPAY' });
    await setState(`back-${state}`, state);
    await bench.control('POST', '/clock', { advanceSeconds: 7 * 24 * 3600 + 1 });
    expect((await bench.book(`back-${state}`)).tradeState).toBe('CLOSED');
    await bench.control('POST', '/reset');
  });
});

describe('closing', () => {
  test.each(['USERPAYING', 'ACCEPT'])('is 202 USER_PAYING in v3 while %s', async (state) => {
    const number = `close-${state}`;
    await placeV3(bench, number);
    await setState(number, state);
    const { status, json } = await closeV3(number);
    expect([status, json]).toEqual([
      202,
      { code: 'USER_PAYING', message: '用户支付中，需要输入密码' },
    ]);
    expect((await bench.book(number)).tradeState).toBe(state);
    await setState(number, 'NOTPAY');
    expect((await closeV3(number)).status).toBe(204);
  });

  test('is USERPAYING in v2', async () => {
    await bench.placeOrder('close-2');
    await setState('close-2', 'USERPAYING');
    await bench.control('POST', '/clock', { advanceSeconds: 301 });
    expect(await closeV2('close-2')).toMatchObject({ err_code: 'USERPAYING' });
    await setState('close-2', 'PAYERROR');
    expect(await closeV2('close-2')).toMatchObject({ result_code: 'SUCCESS' });
    await bench.control('POST', '/reset');
  });
});

describe('REVOKED', () => {
  test('is final: not paid, not ordered again, not closed, not changed', async () => {
    await bench.placeOrder('revoked-1');
    await setState('revoked-1', 'REVOKED');
    expect(await askV2('revoked-1')).toMatchObject({
      trade_state: 'REVOKED',
      trade_state_desc: '订单已撤销',
    });
    expect((await pay('revoked-1')).body['error']).toMatchObject({ code: 'ORDER_REVOKED' });
    expect(await bench.placeOrder('revoked-1')).toMatchObject({ err_code: 'ORDERCLOSED' });
    expect(await closeV2('revoked-1')).toMatchObject({ err_code: 'ORDERCLOSED' });
    expect((await setState('revoked-1', 'NOTPAY')).body['error']).toMatchObject({
      code: 'ORDER_NOT_OPEN',
    });
  });

  test('in v3 too', async () => {
    await placeV3(bench, 'revoked-3');
    await setState('revoked-3', 'REVOKED');
    expect((await placeV3(bench, 'revoked-3')).json['code']).toBe('ORDER_CLOSED');
    expect((await queryV3(bench, 'revoked-3')).json).toMatchObject({ trade_state: 'REVOKED' });
  });
});

test('a state is refused for what is paid, and when it is none', async () => {
  await bench.placeOrder('state-paid');
  await pay('state-paid');
  expect((await setState('state-paid', 'USERPAYING')).status).toBe(409);
  expect((await setState('state-paid', 'SUCCESS')).body['error']).toMatchObject({
    code: 'INVALID_FIELD',
    message: '"tradeState" must be one of NOTPAY, USERPAYING, ACCEPT, PAYERROR, REVOKED',
  });
  expect((await setState('state-none', 'ACCEPT')).status).toBe(404);
});
