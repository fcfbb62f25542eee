/** Yesterday's bill in the page: checked, made to differ, put right. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findBarriers } from './barriers.ts';
import { enterPassword, order, type Shop, type ShopPage, startShop } from './shop-page.ts';

let shop: Shop;
let open: ShopPage;

const press = (name: string | RegExp) =>
  open.page.getByRole('button', { name, exact: true }).click();
const verdict = (state: string) =>
  open.page.locator('.verdict').locator(`[data-bill="${state}"]`).waitFor();
const differences = () => open.page.locator('.differences li');
const difference = (kind: string) => open.page.locator(`.differences li[data-kind="${kind}"]`);
const rows = () => open.page.locator('.bill-lines li');
const alter = () => open.page.locator('.bill-lines summary').first();

async function pay(): Promise<void> {
  await order(open);
  await enterPassword(open);
  await open.phone.getByText(/^(Paid|支付成功)$/).waitFor();
}

/** One payment on a day of its own, and the clock where WeChat has the bill of that day. */
async function sellAndWait(): Promise<void> {
  await pay();
  await open.page.locator('#tab-bill').click();
  await rows().first().waitFor();
  await open.page.locator('#bill-wait').click();
  await open.page.locator('#bill-wait').waitFor({ state: 'hidden' });
}

async function checkHonest(): Promise<void> {
  await press(/^(Check this day|核对这一天)$/);
  await verdict('BALANCED');
}

beforeAll(async () => {
  shop = await startShop();
  // Noon of the next day in Beijing, whatever the time is now: nothing happens around midnight.
  const dayMs = 86_400_000;
  const intoDayMs = (Date.now() + dayMs / 3) % dayMs;
  const advanceSeconds = Math.ceil((1.5 * dayMs - intoDayMs) / 1000);
  await fetch(`${shop.stack.apiUrl}/_local/clock`, {
    method: 'POST',
    body: JSON.stringify({ advanceSeconds }),
  });
});
afterAll(() => shop.stop());
beforeEach(async () => {
  open = await shop.open();
});
afterEach(async () => {
  await fetch(`${shop.stack.simulatorUrl}/_simulator/bill`, { method: 'DELETE' });
  await open.close();
});

describe('the bill of a day', () => {
  test('that is not over says when WeChat has it, and the clock goes there', async () => {
    await pay();
    await open.page.locator('#tab-bill').click();
    await open.page.getByText(/^This day is not over/).waitFor();
    await press('Check this day');
    await verdict('NOT_READY');
    await press(/^Clock to 10:30 of \d{4}-\d{2}-\d{2}$/);
    await open.page.getByText(/^WeChat's bill of this day has 1 row/).waitFor();

    expect(await open.page.locator('#bill-wait').isHidden()).toBe(true);
  });

  test('on which nothing was sold has none', async () => {
    await open.page.locator('#tab-bill').click();
    await press('The day before');
    await press('The day before');
    await press('The day before');
    await open.page.getByText(/^Nothing was paid or given back/).waitFor();
    await press('Check this day');
    await verdict('EMPTY');

    expect(await rows().count()).toBe(0);
  });

  test('adds up, is made to differ by a click, and is put right by a click', async () => {
    await sellAndWait();
    await checkHonest();
    await open.page.getByText('1 · ¥28.00').waitFor();
    await alter().click();
    await press('One fen less');
    await verdict('DIFFERENCES');
    const evidence = await difference('AMOUNT_DIFFERS').innerText();

    expect(evidence).toMatch(/¥28\.00[\s\S]*¥27\.99, line 2/);
    expect(evidence).toMatch(/[0-9a-f]{40}/);
    await press('Put the bill right');
    await verdict('BALANCED');
    expect(await differences().count()).toBe(0);
  });

  test('differs in every way that a click makes it differ', async () => {
    await sellAndWait();
    await checkHonest();
    for (const [name, kind] of [
      ['Leave out', 'MISSING_THERE'],
      ['Twice', 'DUPLICATE'],
      ['Other merchant', 'MERCHANT_DIFFERS'],
      ['Wrong fee', 'FEE_DIFFERS'],
      ['Revoked', 'STATE_DIFFERS'],
    ] as const) {
      await alter().click();
      await press(name);
      await difference(kind).waitFor();
      expect([kind, await differences().count()]).toEqual([kind, 1]);
      await press('As it was');
      await verdict('BALANCED');
    }
  });

  test('that is not whole changes nothing', async () => {
    await sellAndWait();
    await checkHonest();
    for (const name of ['Cut short', 'Wrong sums']) {
      await press(name);
      await verdict('NOT_READY');
      expect(await open.page.getByRole('button', { name }).getAttribute('aria-pressed')).toBe(
        'true',
      );
      await press(name);
      await verdict('BALANCED');
    }
    await press('Old columns');
    await open.page.locator('[data-action="file/layout"][aria-pressed="true"]').waitFor();
    await verdict('BALANCED');
  });

  test('has a payment that nobody knows, which an operator explains', async () => {
    await sellAndWait();
    await checkHonest();
    await press('Add an unknown payment');
    await difference('MISSING_HERE').waitFor();
    await open.page.getByLabel('What explains till-1').fill('the till of shop 3');
    await press('Explain');
    await open.page.getByText('Explained: the till of shop 3').waitFor();
    await press('Check this day');
    await open.page.locator('#bill-panel[aria-busy="false"]').waitFor();

    expect(await difference('MISSING_HERE').getAttribute('data-state')).toBe('EXPLAINED');
    await press('As it was');
    await verdict('BALANCED');
  });

  test('is checked, altered and put right with the keyboard alone', async () => {
    await sellAndWait();
    const { keyboard } = open.page;
    const focused = () => open.page.locator(':focus').innerText();
    await open.page.locator('#tab-message').focus();
    await keyboard.press('ArrowRight');
    await open.page.locator('#bill-check').focus();
    await keyboard.press('Enter');
    await verdict('BALANCED');
    await alter().focus();
    await keyboard.press('Enter');
    await keyboard.press('Tab');
    expect(await focused()).toBe('One fen less');
    await keyboard.press('Enter');
    await verdict('DIFFERENCES');
    expect(await focused()).toBe('As it was');
    await keyboard.press('Enter');
    await verdict('BALANCED');
    expect(await focused()).toMatch(/^Alter /);
  });

  test('fits every screen', async () => {
    await sellAndWait();
    await alter().click();
    await press('One fen less');
    await verdict('DIFFERENCES');
    for (const width of [1440, 1024, 768, 390]) {
      await open.page.setViewportSize({ width, height: 900 });
      const pageWidth = await open.page.locator('html').evaluate((html) => html.scrollWidth);
      const [panel, inside] = await open.page
        .locator('#bill-panel')
        .evaluate((one) => [one.clientWidth, one.scrollWidth]);
      expect([width, pageWidth, inside]).toEqual([width, width, panel]);
    }
  });
});

describe('nobody meets a barrier', () => {
  test.each(['light', 'dark'] as const)('in the %s theme', async (colorScheme) => {
    await open.close();
    open = await shop.open({ colorScheme });
    await sellAndWait();
    await alter().click();
    expect(await findBarriers(open)).toEqual([]);
    await press('One fen less');
    await verdict('DIFFERENCES');
    expect(await findBarriers(open)).toEqual([]);
  });
});

test('the bill reads in Chinese', async () => {
  await open.close();
  open = await shop.open({ locale: 'zh-CN' });
  await sellAndWait();
  await checkHonest();
  await alter().click();
  await press('少一分');
  await open.page.getByText('支付金额不同。').waitFor();
  await open.page.getByText('¥27.99，第 2 行').waitFor();

  await press('恢复账单');
  await open.page.getByText('双方一致。').waitFor();
  const text = await open.page.locator('#bill-panel').innerText();
  expect(text).not.toMatch(/\b(row|day|line|fee|check)/i);
});
