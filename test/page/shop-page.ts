/** The running stack, a Chromium, and what a person does in the page with them. */
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { launchChromium } from '../../build/chromium.ts';
import { type Stack, startStack } from '../../local/stack.ts';

export interface ShopPage {
  readonly page: Page;
  readonly phone: FrameLocator;
  /** Errors of the console and exceptions, of the page and of the phone in it. */
  readonly problems: string[];
  /** @throws {Error} when there were problems. */
  close(): Promise<void>;
}

interface OpenOptions {
  readonly locale?: string;
  readonly colorScheme?: 'light' | 'dark';
}

export interface Shop {
  readonly stack: Stack;
  /** A new browser profile: nothing of an earlier test is in its storage. */
  open(options?: OpenOptions): Promise<ShopPage>;
  stop(): Promise<void>;
}

/** Without the schedule: nothing heals by itself while a test looks at what is broken. */
export async function startShop(apiVersion?: 'v2' | 'v3'): Promise<Shop> {
  const stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    record: true,
    schedule: false,
    apiVersion,
  });
  let browser: Browser;
  try {
    browser = await launchChromium();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return {
    stack,
    open: (options) => openPage(browser, stack.simulatorUrl, options),
    stop: async () => {
      await browser.close();
      await stack.stop();
    },
  };
}

async function openPage(
  browser: Browser,
  url: string,
  { locale = 'en-US', colorScheme = 'light' }: OpenOptions = {},
): Promise<ShopPage> {
  const context = await browser.newContext({
    locale,
    colorScheme,
    viewport: { width: 1280, height: 900 },
  });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      problems.push(message.text());
    }
  });
  await page.goto(url);
  const phone = page.frameLocator('#phone');
  await phone.getByRole('button', { name: /^(Pay|.*支付)/ }).waitFor();
  const close = async () => {
    await context.close();
    if (problems.length > 0) {
      throw new Error(`problems in the page: ${problems.join('; ')}`);
    }
  };
  return { page, phone, problems, close };
}

/** One latte in the cart, and the payment sheet open. */
export async function order({ phone }: ShopPage): Promise<void> {
  await phone.getByRole('button', { name: /\+1/ }).first().click();
  await phone.getByRole('button', { name: /^(Pay|.*支付)/ }).click();
  await phone.getByRole('dialog').waitFor();
}

/** Six digits on the pad, then the receipt. */
export async function enterPassword({ phone }: ShopPage): Promise<void> {
  for (const digit of '314159') {
    await phone.getByRole('button', { name: digit, exact: true }).click();
  }
  await phone.getByRole('button', { name: /^(Done|完成)$/ }).click();
}

/** The arrow of the diagram whose spoken name fits. */
export const arrow = ({ page }: ShopPage, name: RegExp) =>
  page.locator('#diagram').getByRole('button', { name });

/** Waits for it: the page follows within a second. */
export async function stateOfOrder({ page }: ShopPage, expected: string): Promise<string | null> {
  const state = page.locator(`#order-view [data-state="${expected}"]`);
  await state.waitFor();
  return state.textContent();
}

export const chooseFault = async ({ page }: ShopPage, name: string) => {
  const chip = page.getByRole('button', { name, exact: true });
  await chip.click();
  await page.locator('[aria-pressed="true"]', { hasText: name }).waitFor();
};
