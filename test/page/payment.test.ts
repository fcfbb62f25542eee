import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  arrow,
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
});
afterEach(() => open.close());

const seen = async (text: string | RegExp) => {
  await open.page.locator('#order-view').getByText(text).first().waitFor();
};

describe('a payment in the page', () => {
  test('goes from the cart over the password to the paid order, and every party is seen', async () => {
    await order(open);
    const sheet = open.phone.getByRole('dialog');
    expect(await sheet.textContent()).toContain('¥28.00');
    expect(await sheet.textContent()).toContain(shop.stack.merchant.mchid);
    await seen('NOTPAY');
    await enterPassword(open);

    await open.phone.getByText('Paid', { exact: true }).waitFor();
    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
    await seen(/In step/);
    await seen('NOTPAY → SUCCESS');
    for (const name of [
      /Mini-program → WeChat Pay: wx\.login ok/,
      /Mini-program → Your API: POST \/prepay 200/,
      /Your API → Table: PutItem written/,
      /Your API → WeChat Pay: unifiedorder ok/,
      /Mini-program → WeChat Pay: wx\.requestPayment ok/,
      /WeChat Pay → Your API: POST \/notify\/v2\/payment acknowledged/,
      /Your API → Table: UpdateItem written/,
    ]) {
      await arrow(open, name).first().waitFor();
    }
  });

  test('shows how the signature of a message comes about, without the key', async () => {
    await order(open);
    await arrow(open, /unifiedorder ok/)
      .last()
      .click();
    const message = open.page.getByRole('tabpanel', { name: 'Message' });
    await message.getByText('The signature is right.').waitFor();
    const text = (await message.textContent()) ?? '';

    expect(text).toContain('HMAC-SHA256');
    expect(text).toMatch(/appid=wx\w+&body=拿铁 Latte&/);
    expect(text).toContain('&key=••••••••');
    expect(text).toMatch(/calculated([0-9A-F]{64})carried\1[^]*= equal/);
    expect(text).not.toContain(shop.stack.merchant.apiV2Key);
  });

  test('can be cancelled and made again, for the same order', async () => {
    await order(open);
    await open.phone.getByRole('button', { name: 'Close and cancel the payment' }).click();
    await open.phone.getByRole('button', { name: 'Pay now' }).waitFor();
    await seen('NOTPAY');
    const number = await open.page.locator('#orders').inputValue();

    await open.phone.getByRole('button', { name: 'Pay now' }).click();
    await open.phone.getByRole('dialog').waitFor();
    await enterPassword(open);
    await open.phone.getByText('Paid', { exact: true }).waitFor();

    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
    expect(await open.page.locator('#orders').inputValue()).toBe(number);
  });

  test('can be made with the keyboard alone', async () => {
    await open.phone.getByRole('button', { name: /\+1/ }).first().press('Enter');
    await open.phone.getByRole('button', { name: /^Pay/ }).press('Enter');
    await open.phone.getByRole('dialog').waitFor();
    await open.page.keyboard.type('271828');
    await open.phone.getByRole('button', { name: 'Done' }).press('Enter');

    await open.phone.getByText('Paid', { exact: true }).waitFor();
    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
  });

  test('is confirmed after the app was restarted between payment and confirmation', async () => {
    await order(open);
    await open.page.getByRole('button', { name: 'Network on' }).click();
    for (const digit of '314159') {
      await open.phone.getByRole('button', { name: digit, exact: true }).click();
    }
    await open.phone.getByRole('button', { name: 'Done' }).click();
    await open.page.getByRole('button', { name: 'Restart app' }).click();

    await open.phone.getByText('Paid ¥28.00').waitFor();
    expect(await stateOfOrder(open, 'SUCCESS')).toBe('SUCCESS');
  });

  test('belongs to the buyer whose phone it is', async () => {
    await open.page.getByRole('button', { name: 'Other…' }).click();
    await open.page.getByLabel('Name of the buyer').fill('dora');
    await open.page.getByRole('button', { name: 'Use', exact: true }).click();
    await open.phone.getByRole('button', { name: /^Pay/ }).waitFor();
    await order(open);
    await enterPassword(open);
    await open.phone.getByText('Paid', { exact: true }).waitFor();
    const number = await open.page.locator('#orders').inputValue();
    const answer = await fetch(`${shop.stack.simulatorUrl}/_simulator/orders/${number}`);

    expect(await answer.json()).toMatchObject({ user: 'dora', tradeState: 'SUCCESS' });
  });
});
