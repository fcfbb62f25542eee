import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { payInCrowd } from '../support/crowd.ts';
import { findBarriers } from './barriers.ts';
import {
  chooseFault,
  enterPassword,
  order,
  type Shop,
  startShop,
  stateOfOrder,
} from './shop-page.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());

describe.each(['en-US', 'zh-CN'])('in %s', (locale) => {
  test('events and notifications fit every width, and nobody meets a barrier', async () => {
    const open = await shop.open({ locale });
    const isChinese = locale === 'zh-CN';
    await chooseFault(open, isChinese ? '被篡改' : 'Tampered');
    await open.page.locator('[data-bus-fault="fail"]').click();
    await order(open);
    await enterPassword(open);
    await stateOfOrder(open, 'SUCCESS');
    await open.page.locator('#order-view [data-event]').waitFor();
    for (const width of [1440, 1024, 768, 390]) {
      await open.page.setViewportSize({ width, height: 900 });
      const scrollWidth = await open.page.locator('html').evaluate((html) => html.scrollWidth);
      expect(scrollWidth).toBe(width);
      expect(await findBarriers(open)).toEqual([]);
    }
    const notices = (await open.page.locator('.notices').innerText()).replaceAll(
      /sign matches none.*|(SUCCESS|NOTPAY|FAIL|SIGNATURE_INVALID|OK|id [\w-]+|https?:\S+)/g,
      '',
    );
    const other = isChinese ? /[A-Z][a-z]+ [a-z]+/ : /\p{Script=Han}/u;
    expect(notices.replaceAll('Lambda', '')).not.toMatch(other);
    await open.close();
  });
});

describe('hundreds of messages', () => {
  test('are drawn in pieces, all of them and in order', async () => {
    await payInCrowd(shop.stack, 50);
    const open = await shop.open();
    const rows = open.page.locator('#diagram [data-exchange]');
    await expect.poll(() => rows.count(), { timeout: 15_000 }).toBeGreaterThan(450);
    const keys = await rows.evaluateAll((all) =>
      all.map((row) => row.getAttribute('data-exchange')),
    );
    const events = keys.filter((key) => key?.startsWith('event-'));
    expect(new Set(events).size).toBeGreaterThanOrEqual(50);
    // The ids of the local stack count up in the order in which the calls began.
    const ids = keys.flatMap(
      (key) =>
        /^local-(\d+)$/
          .exec(key ?? '')
          ?.slice(1)
          .map(Number) ?? [],
    );
    const asked = [...new Set(ids)];
    expect(asked.length).toBeGreaterThan(200);
    expect(asked).toEqual(asked.toSorted((a, b) => a - b));
    await open.close();
  });

  test('of before a click on Clear stay away, also those that the page had not read', async () => {
    await payInCrowd(shop.stack, 1);
    const open = await shop.open();
    // As on a slow machine: the first answers with messages come after the click.
    const { promise: cleared, resolve: clear } = Promise.withResolvers<undefined>();
    await open.page.route(/\/messages\?after=/, async (route) => {
      await cleared;
      await route.continue();
    });
    await open.page.reload();
    await open.page.getByRole('button', { name: 'Clear' }).click();
    clear(undefined);
    await open.page.waitForResponse(/_simulator\/messages\?after=/);
    await order(open);
    const label = open.page.locator('#diagram .arrow-name', { hasText: 'unifiedorder' });
    await label.first().waitFor();

    expect(await label.count()).toBe(1);
    await open.close();
  });
});
