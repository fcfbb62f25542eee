/** The buyer in the page's phone gives an order up. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { arrow, order, type Shop, type ShopPage, startShop, stateOfOrder } from './shop-page.ts';

let shop: Shop;
let open: ShopPage;

const seen = (text: string | RegExp) =>
  open.page.locator('#order-view').getByText(text).first().waitFor();
const press = (name: string) => open.page.getByRole('button', { name, exact: true }).click();
const onPhone = (name: string) => open.phone.getByRole('button', { name, exact: true });

/** An order whose payment sheet the buyer has left, on the page that shows it. */
async function leaveUnpaid(): Promise<void> {
  await order(open);
  await onPhone('Close and cancel the payment').click();
  await onPhone('Pay now').waitFor();
}

beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());
beforeEach(async () => {
  open = await shop.open();
});
afterEach(() => open.close());

describe('a buyer who cancels an order', () => {
  test('keeps it after a second thought', async () => {
    await leaveUnpaid();
    await onPhone('Cancel the order').click();
    await open.phone.getByText('You cannot pay this order any more after that.').waitFor();
    await onPhone('Keep').click();

    await onPhone('Pay now').waitFor();
    expect(await stateOfOrder(open, 'NOTPAY')).toBe('NOTPAY');
  });

  test('sees it closing until v2 lets it be closed, and then closed here and at WeChat', async () => {
    await leaveUnpaid();
    await onPhone('Cancel the order').click();
    await onPhone('Cancel').click();
    await open.phone.getByText('Being cancelled', { exact: true }).waitFor();
    await arrow(open, /Mini-program → Your API: POST \/orders\/\w+…\/close 202/).waitFor();
    await seen(
      /Given up by its buyer: POST \/prepay refuses it now.* Next try at \d\d:\d\d:\d\d\./,
    );
    expect(await onPhone('Pay now').count()).toBe(0);
    await press('+5 min');
    await press('Run reconcile now');
    await seen('reconcile · UpdateItem');
    await onPhone('Check again').click();

    await open.phone.getByText('Order closed', { exact: true }).waitFor();
    expect(await stateOfOrder(open, 'CLOSED')).toBe('CLOSED');
    await seen(/In step/);
    await seen('Given up by its buyer');
    await seen('close · UpdateItem');
    await seen('NOTPAY → CLOSED');
    expect(await onPhone('Cancel the order').count()).toBe(0);
  });

  test('reads it in Chinese', async () => {
    await open.close();
    open = await shop.open({ locale: 'zh-CN' });
    await order(open);
    await onPhone('关闭，取消支付').click();
    await onPhone('取消订单').click();
    await open.phone.getByText('取消后不能再支付这笔订单，确定取消吗？').waitFor();
    await open.phone.getByRole('dialog').getByRole('button', { name: '取消订单' }).click();

    await open.phone.getByText('正在取消', { exact: true }).waitFor();
    await seen(/用户已取消：不能再预支付/);
    expect(await onPhone('继续支付').count()).toBe(0);
  });
});
