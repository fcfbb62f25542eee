/** The merchant's people give money back in the page. */
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

const seen = (text: string | RegExp) =>
  open.page.locator('#order-view').getByText(text).first().waitFor();
const press = (name: string) => open.page.getByRole('button', { name, exact: true }).click();
const answers = () => open.page.locator('#refund-answers li');
const refund = (status: string) => open.page.locator(`#order-view [data-refund="${status}"]`);

async function pay(): Promise<void> {
  await order(open);
  await enterPassword(open);
  await open.phone.getByText(/^(Paid|支付成功)$/).waitFor();
  await stateOfOrder(open, 'SUCCESS');
}

describe('a refund in the page', () => {
  test('is not offered for an order that is not paid', async () => {
    await order(open);
    await stateOfOrder(open, 'NOTPAY');

    expect(await open.page.locator('#refund').isHidden()).toBe(true);
  });

  test('of all that is left is taken up by WeChat and reaches the buyer', async () => {
    await pay();
    await press('Refund');
    await answers()
      .getByText(/^201 PROCESSING ¥28\.00$/)
      .waitFor();
    await refund('PROCESSING').waitFor();
    await seen(/Of ¥28\.00 there are ¥0\.00 left to give back; 1 refund/);
    await arrow(open, /Your API → WeChat Pay: refund/)
      .first()
      .waitFor();
    await press('+30 s');
    await refund('SUCCESS').waitFor();

    await seen('The buyer has the money.');
    await seen('Reserved for a refund');
    await seen('refund · TransactWriteItems');
    expect(await stateOfOrder(open, 'REFUND')).toBe('REFUND');
  });

  test('of a part leaves the rest', async () => {
    await pay();
    await open.page.getByLabel(/^Yuan/).fill('8.50');
    await press('Refund');
    await answers()
      .getByText(/^201 PROCESSING ¥8\.50$/)
      .waitFor();

    await seen(/Of ¥28\.00 there are ¥19\.50 left to give back/);
    expect(await stateOfOrder(open, 'REFUND')).toBe('REFUND');
  });

  test('twice at once gives the money back once', async () => {
    await pay();
    await open.page.getByLabel(/^Yuan/).fill('28');
    await press('Two at once');
    await answers()
      .getByText(/^409 REFUND_EXCEEDS_PAYMENT/)
      .waitFor();
    await answers()
      .getByText(/^201 (PROCESSING|PENDING) ¥28\.00$/)
      .waitFor();

    expect(await answers().count()).toBe(2);
    // What the browser itself says of a refusal.
    expect(open.problems.splice(0)).toEqual([expect.stringContaining('409')]);
    await open.page.locator('#order-view [data-refund]').first().waitFor();
    expect(await open.page.locator('#order-view [data-refund]').count()).toBe(1);
  });

  test('that cannot reach the buyer says what that means, and keeps its money', async () => {
    await pay();
    await press('Refund');
    await refund('PROCESSING').waitFor();
    await press('ABNORMAL');
    await press('Run reconcile now');
    await refund('ABNORMAL').waitFor();

    await seen(/The money cannot reach the buyer/);
    await seen(/there are ¥0\.00 left/);
    expect(await stateOfOrder(open, 'REFUND')).toBe('REFUND');
  });

  test('that WeChat closes frees its money', async () => {
    await pay();
    await press('Refund');
    await refund('PROCESSING').waitFor();
    await press('CLOSED');
    await refund('CLOSED').waitFor();

    await seen(/Ended without money moving/);
    await seen(/there are ¥28\.00 left to give back; 0 refund/);
    expect(await refund('CLOSED').count()).toBe(1);
  });

  test('of what is no amount is not sent', async () => {
    await pay();
    await open.page.getByLabel(/^Yuan/).fill('1.234');
    await press('Refund');
    await answers().getByText('An amount in yuan with at most two decimals.').waitFor();

    expect(await open.page.locator('#order-view [data-refund]').count()).toBe(0);
  });

  test('reads in Chinese', async () => {
    await open.close();
    open = await shop.open({ locale: 'zh-CN' });
    await pay();
    await press('退款');
    await answers()
      .getByText(/^201 PROCESSING ¥28\.00$/)
      .waitFor();
    await seen('微信已受理，正在退给用户。');

    expect(await open.page.locator('#refund h3').textContent()).toBe('退款');
  });
});
