import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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
const seen = (text: string | RegExp) => view().getByText(text).first().waitFor();
const press = (name: string) => open.page.getByRole('button', { name, exact: true }).click();

describe('a fault of the panel', () => {
  test('a lost notification is healed by the question of the client', async () => {
    await chooseFault(open, 'Lost');
    await order(open);
    await enterPassword(open);
    await open.phone.getByText('Paid', { exact: true }).waitFor();

    await arrow(open, /\/notify\/v2\/payment lost/).waitFor();
    await arrow(open, /Your API → WeChat Pay: orderquery SUCCESS/).waitFor();
    await seen('query · UpdateItem');
    await seen(/In step/);
    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
  });

  test('a lost notification is healed by the next try of WeChat when the client is gone', async () => {
    await chooseFault(open, 'Lost');
    await order(open);
    await press('Network on');
    await enterPassword(open);
    await seen(/Out of step: WeChat says SUCCESS, the table says NOTPAY/);
    await press('+30 s');

    await seen('notify · UpdateItem');
    await seen(/In step/);
    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
  });

  test('notifications that are always lost are made up for by reconcile', async () => {
    await open.page.getByLabel('Every time').check();
    await chooseFault(open, 'Lost');
    await order(open);
    await press('Network on');
    await enterPassword(open);
    await seen(/Out of step/);
    await press('+1 min');
    await press('Run reconcile now');

    await seen('reconcile · UpdateItem');
    await seen(/In step/);
    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
    await press('Lost');
  });

  test('a tampered notification is refused, and the page says why', async () => {
    await chooseFault(open, 'Tampered');
    await order(open);
    await press('Network on');
    await enterPassword(open);
    await arrow(open, /\/notify\/v2\/payment refused 401/)
      .first()
      .click();
    const message = open.page.getByRole('tabpanel', { name: 'Message' });
    await message.getByText(/^Your API checked it and refused it: 401/).waitFor();
    const text = (await message.textContent()) ?? '';

    expect(text).toContain('Fault: tamper');
    expect(text).toContain('a field was altered after WeChat signed the message');
    expect(text).toContain('≠ different');
    expect(text).toContain('SIGNATURE_INVALID');
    await open.page.getByRole('tab', { name: 'Order' }).click();
    await seen(/the table says NOTPAY/);
  });

  test('a forged answer to a query is not believed; the next question settles the order', async () => {
    await chooseFault(open, 'Lost');
    await chooseFault(open, 'Query: forged answer');
    await order(open);
    await enterPassword(open);
    await open.phone.getByText('Paid', { exact: true }).waitFor();
    await arrow(open, /orderquery forged/).click();
    const message = open.page.getByRole('tabpanel', { name: 'Message' });

    await message.getByText(/^Altered after WeChat signed it: total_fee 2800 → 2801/).waitFor();
    await open.page.getByRole('tab', { name: 'Order' }).click();
    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
  });

  test('an expired order is closed at WeChat and in the table', async () => {
    await order(open);
    await open.phone.getByRole('button', { name: 'Close and cancel the payment' }).click();
    await open.phone.getByRole('button', { name: 'Pay now' }).waitFor();
    await press('Expire');

    expect(await stateOfOrder(open, 'CLOSED')).toBe('CLOSED');
    await seen(/In step/);
    await arrow(open, /Your API → WeChat Pay: closeorder ok/).waitFor();
  });

  test('a payment after the close is recorded and flagged', async () => {
    await order(open);
    await open.phone.getByRole('button', { name: 'Close and cancel the payment' }).click();
    await open.phone.getByRole('button', { name: 'Pay now' }).waitFor();
    await press('Pay after close');

    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
    await seen(/Paid after it was closed/);
    await seen('CLOSED → SUCCESS');
  });

  test('a wrong amount changes nothing and is kept beside the order', async () => {
    await chooseFault(open, 'Wrong amount');
    await order(open);
    await press('Network on');
    await enterPassword(open);

    await seen(/totalFen 2801 instead of 2800/);
    expect(await stateOfOrder(open, 'NOTPAY')).toBe('NOTPAY');
  });

  test('is off again once it has struck', async () => {
    await chooseFault(open, 'Twice at once');
    await order(open);
    await enterPassword(open);
    await open.phone.getByText('Paid', { exact: true }).waitFor();

    await open.page.locator('[aria-pressed="false"]', { hasText: 'Twice at once' }).waitFor();
    await expect
      .poll(() => arrow(open, /\/notify\/v2\/payment acknowledged/).count())
      .toBeGreaterThan(1);
  });
});
