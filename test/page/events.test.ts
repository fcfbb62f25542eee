import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { call } from '../support/shop.ts';
import { signed, xmlOf } from '../support/v2-message.ts';
import { findBarriers } from './barriers.ts';
import {
  arrow,
  chooseFault,
  enterPassword,
  order,
  type Shop,
  type ShopPage,
  startShop,
  stateOfOrder,
} from './shop-page.ts';

let shop: Shop;
let open: ShopPage;

beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());
beforeEach(async () => {
  open = await shop.open();
  await open.page.getByRole('button', { name: 'Clear' }).click();
});
afterEach(() => open.close());

const view = () => open.page.locator('#order-view');
const notices = () => view().locator('.notices');
const events = () => view().locator('.events');
const message = () => open.page.getByRole('tabpanel', { name: 'Message' });
const press = (name: string) => open.page.getByRole('button', { name, exact: true }).click();
const chip = (fault: string) => open.page.locator(`[data-bus-fault="${fault}"]`);
const isOn = (fault: string) =>
  open.page.locator(`[data-bus-fault="${fault}"][aria-pressed="true"]`).waitFor();
const isOff = (fault: string) =>
  open.page.locator(`[data-bus-fault="${fault}"][aria-pressed="false"]`).waitFor();

async function pay(): Promise<void> {
  await order(open);
  await enterPassword(open);
  await open.phone.getByText('Paid', { exact: true }).waitFor();
  await stateOfOrder(open, 'SUCCESS');
}

describe('events', () => {
  test('are a lane of the diagram, and each shows its whole detail', async () => {
    await pay();
    await arrow(open, /Your API → EventBridge: Order Paid \w{6}….1 taken$/).click();
    const text = (await message().textContent()) ?? '';

    expect(text).toMatch(/eventId\w{32}\.1sequence1/);
    expect(text).toContain('EventBridge took it.');
    expect(text).toContain('"tradeState": "SUCCESS"');
    await open.page.getByRole('tab', { name: 'Order' }).click();
    await events().getByText('Order Paid · sequence 1').waitFor();
    expect(await events().locator('li').count()).toBe(1);
  });

  test('that are refused and come again are told apart from those that are taken', async () => {
    await chip('fail').click();
    await isOn('fail');
    expect(await chip('fail').textContent()).toBe('Rejects 3 · 3 still to come');
    await pay();
    await arrow(open, /EventBridge: Order Paid \S+ refused ×3/).waitFor();
    await arrow(open, /EventBridge: Order Paid \S+ taken$/).waitFor();
    await isOff('fail');

    await press('Deliver the last 10 again');
    await open.page.getByText(/record\(s\) were given again/).waitFor();
    await arrow(open, /EventBridge: Order Paid \S+ taken again/)
      .last()
      .click();
    await message()
      .getByText(/^EventBridge took it again/)
      .waitFor();
    await open.page.getByRole('tab', { name: 'Order' }).click();
    await events()
      .getByText(/^Taken 2 times/)
      .waitFor();
    expect(await events().locator('li').count()).toBe(1);
  });

  test('wait while EventBridge is away, and nothing else does', async () => {
    await chip('away').click();
    await isOn('away');
    await pay();
    await arrow(open, /EventBridge: Order Paid \S+ away/)
      .last()
      .waitFor();
    await open.page.locator('[data-bus-fault="away"]', { hasText: '1 record(s) wait' }).waitFor();
    await events()
      .getByText(/^1 fact\(s\) in the table wait for EventBridge/)
      .waitFor();
    expect(await events().locator('li').count()).toBe(0);

    await chip('away').click();
    await isOff('away');
    await arrow(open, /EventBridge: Order Paid \S+ taken$/).waitFor();
    await events().getByText('Order Paid · sequence 1').waitFor();
  });

  test('are published late by an EventBridge that is slow', async () => {
    await chip('slowMs').click();
    await isOn('slowMs');
    await pay();
    await arrow(open, /EventBridge: Order Paid \S+ waiting/).waitFor();
    await arrow(open, /EventBridge: Order Paid \S+ taken$/).click();
    const took = /· ([\d,]+) ms/.exec((await message().textContent()) ?? '')?.[1];
    expect(Number(took)).toBeGreaterThanOrEqual(1990);
    await chip('slowMs').click();
    await isOff('slowMs');
  });

  test('tell of refunds and of closed orders too', async () => {
    await pay();
    await press('Refund');
    await arrow(open, /EventBridge: Refund Requested \S+\.1 taken$/).waitFor();
    await events().getByText('Refund Requested · sequence 1').waitFor();

    await open.phone.getByRole('button', { name: 'Back' }).first().click();
    await order(open);
    await open.phone.getByRole('button', { name: 'Close and cancel the payment' }).click();
    await open.phone.getByRole('button', { name: 'Pay now' }).waitFor();
    await press('Pay after close');
    await arrow(open, /EventBridge: Order Closed \S+\.1 taken$/).waitFor();
    await arrow(open, /EventBridge: Payment After Close \S+\.2 taken$/).waitFor();
    await events().getByText('Payment After Close · sequence 2').waitFor();
    const ids = await events()
      .locator('li')
      .evaluateAll((lines) => lines.map((line) => line.getAttribute('data-event')?.slice(32)));
    expect(ids).toEqual(['.1', '.2']);
  });
});

describe('what WeChat sent and what we said', () => {
  test('has the notification, the decision and the answer', async () => {
    await order(open);
    await notices()
      .getByText(/^Nothing came, and nothing is missing: the order is unpaid/)
      .waitFor();
    await notices()
      .getByText(/^WeChat was given http:\/\/127\.0\.0\.1:\d+\/notify\/v2\/payment/)
      .waitFor();
    await enterPassword(open);
    const line = notices().locator('[data-decision="apply"]');
    await line.getByText('In the archive beside the order').waitFor();
    await line.getByText('We said 200 SUCCESS OK').waitFor();
    const text = (await line.textContent()) ?? '';

    expect(text).toContain('Payment · recorded NOTPAY → SUCCESS');
    expect(text).toMatch(/id [0-9a-f]{32}/);
    await line.getByRole('button', { name: 'Show the message' }).press('Enter');
    await message().getByText('Your API checked it and accepted it.').waitFor();
  });

  test('has what was refused and why, and what was repeated', async () => {
    await chooseFault(open, 'Tampered');
    await order(open);
    await press('Network on');
    await enterPassword(open);
    const refused = notices().locator('[data-decision="refused"]');
    await refused.getByText('We said 401 FAIL SIGNATURE_INVALID').waitFor();
    await refused.getByText(/^sign matches none of/).waitFor();
    await refused.getByText('In the log only').waitFor();
    await notices()
      .getByText(/^What came was refused, and the order is unpaid here/)
      .waitFor();

    await chooseFault(open, 'Twice at once');
    await press('+30 s');
    await notices()
      .getByText(/known already, nothing changed/)
      .waitFor();
    await notices().locator('[data-decision="apply"]').waitFor();
    expect(
      await notices()
        .getByText(/^What came was refused/)
        .count(),
    ).toBe(0);
  });

  test('says that nothing came, what that means, and who found the payment', async () => {
    await open.page.getByLabel('Every time').check();
    await chooseFault(open, 'Lost');
    await order(open);
    await press('Network on');
    await enterPassword(open);
    await notices()
      .getByText(/^WeChat has the payment, but its notification has not arrived/)
      .waitFor();
    await notices().locator('[data-decision="lost"]', { hasText: 'did not arrive' }).waitFor();
    await press('+1 min');
    await press('Run reconcile now');
    await notices()
      .getByText("Paid, found by reconcile: WeChat's notification did not arrive.")
      .waitFor();
    expect(await findBarriers(open)).toEqual([]);
    await press('Lost');
  });
});

describe('a payment of no order', () => {
  test('is in the diagram, with its event, and in the inspector', async () => {
    const { merchant, simulatorUrl, apiUrl } = shop.stack;
    const { openid } = (await call<{ openid: string }>(`${simulatorUrl}/_simulator/users/alice`))
      .body;
    const number = `NoSuchOrder${Date.now()}`;
    const fields = {
      appid: merchant.appid,
      mch_id: merchant.mchid,
      nonce_str: 'a-nonce',
      sign_type: 'HMAC-SHA256',
      body: 'tea',
      out_trade_no: number,
      total_fee: '300',
      spbill_create_ip: '127.0.0.1',
      notify_url: `${apiUrl}/notify/v2/payment`,
      trade_type: 'JSAPI',
      openid,
    };
    await fetch(`${simulatorUrl}/pay/unifiedorder`, {
      method: 'POST',
      body: xmlOf(signed(fields, merchant.apiV2Key)),
    });
    await call(`${simulatorUrl}/_simulator/orders/${number}/pay`, 'POST', {});
    await arrow(open, /EventBridge: Payment Mismatch unknown\.420000…\.1 taken/).waitFor();
    await open.page.locator('#orders').selectOption(number);

    await view()
      .getByText(/^The table has no order of this number/)
      .waitFor();
    const line = notices().locator('[data-decision="unknown-order"]');
    await line.getByText('We said 404 FAIL ORDER_NOT_FOUND').waitFor();
    await line.getByText('In the archive beside the order').waitFor();
    await events().getByText('Payment Mismatch · sequence 1').waitFor();
    expect(await view().locator('.history li[data-event]').count()).toBe(1);
  });
});
