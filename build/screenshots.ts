/** `npm run screenshots`: the pictures of the READMEs, taken from the running page. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { keepLoopbackDirect } from '../local/loopback.ts';
import { startStack } from '../local/stack.ts';
import { launchChromium } from './chromium.ts';

const DIRECTORY = fileURLToPath(new URL('../docs/images/', import.meta.url));
const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

interface Scene {
  readonly page: Page;
  /** Writes `<name>.png`. */
  readonly take: (name: string) => Promise<void>;
}

/** Everything settled: the page asks once a second. */
const settle = (page: Page) => page.waitForTimeout(1500);

async function order({ page }: Scene): Promise<void> {
  const phone = page.frameLocator('#phone');
  await phone.getByRole('button', { name: /\+1/ }).first().click();
  await phone.getByRole('button', { name: /^(Pay|.*支付)/ }).click();
  await phone.getByRole('dialog').waitFor();
  await settle(page);
}

async function pay({ page }: Scene): Promise<void> {
  const phone = page.frameLocator('#phone');
  for (const digit of '314159') {
    await phone.getByRole('button', { name: digit, exact: true }).click();
  }
  await phone.locator('.receipt-done').click();
  await settle(page);
}

const choose = ({ page }: Scene, fault: string) => page.locator(`[data-fault="${fault}"]`).click();

/** Messages of the other language are gone from the page, and the buyer logs in once more. */
async function beginAnew({ page }: Scene): Promise<void> {
  await settle(page);
  await page.locator('#clear').click();
  await page.evaluate('localStorage.clear()');
  await page.locator('#restart').click();
}

/** One payment; then a lost notification, healed; then a tampered one, refused and explained. */
async function tellStory(scene: Scene, language: string): Promise<void> {
  const { page, take } = scene;
  await order(scene);
  await take(`pay.${language}`);
  await pay(scene);
  await take(`paid.${language}`);
  await page.locator('#clear').click();
  await page.locator('#restart').click();
  await choose(scene, 'notify/lost');
  await order(scene);
  await pay(scene);
  await take(`healed.${language}`);
  await page.locator('#clear').click();
  await page.locator('#restart').click();
  await choose(scene, 'notify/tamper');
  await order(scene);
  await pay(scene);
  await page.locator('#diagram button', { hasText: '/notify/' }).first().click();
  await settle(page);
  await take(`refused.${language}`);
}

async function main(): Promise<void> {
  keepLoopbackDirect();
  mkdirSync(DIRECTORY, { recursive: true });
  const stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    record: true,
    schedule: false,
  });
  const browser = await launchChromium();
  const open = async (language: string, viewport: typeof DESKTOP): Promise<Scene> => {
    const locale = language === 'zh' ? 'zh-CN' : 'en-US';
    const context = await browser.newContext({ viewport, locale, colorScheme: 'light' });
    const page = await context.newPage();
    await page.goto(stack.simulatorUrl);
    const take = async (name: string) => {
      await page.screenshot({ path: path.join(DIRECTORY, `${name}.png`) });
      process.stdout.write(`docs/images/${name}.png\n`);
    };
    return { page, take };
  };
  try {
    for (const language of ['en', 'zh']) {
      const desktop = await open(language, DESKTOP);
      await beginAnew(desktop);
      await tellStory(desktop, language);
      await desktop.page.context().close();
      const small = await open(language, PHONE);
      await order(small);
      await small.take(`phone.${language}`);
      await small.page.context().close();
      // What was lost for one language is not sent again in the pictures of the other.
      await fetch(`${stack.simulatorUrl}/_simulator/reset`, { method: 'POST' });
    }
  } finally {
    await browser.close();
    await stack.stop();
  }
}

await main();
