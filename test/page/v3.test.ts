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
  shop = await startShop('v3');
});
afterAll(() => shop.stop());
beforeEach(async () => {
  open = await shop.open();
  await open.page.getByRole('button', { name: 'Clear' }).click();
});
afterEach(() => open.close());

const message = () => open.page.getByRole('tabpanel', { name: 'Message' });

describe('a payment on API v3 in the page', () => {
  test('is made by clicking, and its notification is explained', async () => {
    await order(open);
    await enterPassword(open);
    await open.phone.getByText('Paid', { exact: true }).waitFor();
    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
    const number = await open.page.locator('#orders').inputValue();
    await arrow(open, /WeChat Pay → Your API: POST \/notify\/v3 acknowledged/).click();
    await message().getByText('Your API checked it and accepted it.').waitFor();
    const text = (await message().textContent()) ?? '';

    expect(text).toContain('Signed by WeChat.');
    expect(text).toContain('WeChat Pay public key');
    expect(text).toMatch(/serialPUB_KEY_ID_\d+/);
    expect(text).toMatch(/timestamp\d{10}↵nonce\w{32}↵body\{"id":.*\}↵/);
    expect(text).toMatch(/= it fits/);
    expect(text).toMatch(
      new RegExp(`What the notification says.*"out_trade_no": "${number}"`, 's'),
    );
    expect(text).not.toContain(shop.stack.merchant.apiV3Key);
  });

  test('shows every check of an order, and the lines that were signed', async () => {
    await order(open);
    await arrow(open, /Your API → WeChat Pay: v3 JSAPI order ok/).click();
    await message().getByText('The signature is right.').waitFor();
    const checks = message().getByRole('list', { name: 'What WeChat checked, in order' });
    const text = (await message().textContent()) ?? '';

    expect(await checks.getByRole('listitem').count()).toBe(5);
    expect(text).toMatch(/methodPOST↵address\/v3\/pay\/transactions\/jsapi↵timestamp\d{10}↵/);
    expect(text).toContain("public key of the merchant's API certificate");
    expect(text).not.toContain('&key=');
  });

  test('says why a notification was refused that was altered on the way', async () => {
    await chooseFault(open, 'Tampered');
    await order(open);
    await enterPassword(open);
    await arrow(open, /\/notify\/v3 refused 401/).click();
    await message()
      .getByText(/the body was altered after signing/)
      .waitFor();

    expect(await message().textContent()).toMatch(/≠ it does not fit/);
    await open.phone.getByText('Paid', { exact: true }).waitFor();
    await arrow(open, /Your API → WeChat Pay: v3 query SUCCESS/).waitFor();
  });

  test("shows WeChat's refusal of a call with its detail", async () => {
    await fetch(`${shop.stack.simulatorUrl}/v3/pay/transactions/jsapi`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'WECHATPAY2-SHA256-RSA2048 mchid="1"',
      },
      body: '{}',
    });
    await arrow(open, /Your API → WeChat Pay: v3 JSAPI order SIGN_ERROR/).click();
    await message()
      .getByText(/^SIGN_ERROR: /)
      .first()
      .waitFor();

    expect(await message().textContent()).toMatch(/fieldauthorization/);
  });

  test('can be cancelled at once: the order is closed at WeChat and in the table', async () => {
    await order(open);
    const press = (name: string) => open.phone.getByRole('button', { name, exact: true }).click();
    await press('Close and cancel the payment');
    await press('Cancel the order');
    await press('Cancel');

    await open.phone.getByText('Order closed', { exact: true }).waitFor();
    await arrow(open, /Mini-program → Your API: POST \/orders\/\w+…\/close 200/).waitFor();
    await arrow(open, /Your API → WeChat Pay: v3 close/).waitFor();
    expect(await stateOfOrder(open, 'CLOSED')).toBe('CLOSED');
  });
});
