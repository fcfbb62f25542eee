/** What axe finds that keeps somebody from using the page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { ShopPage } from './shop-page.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

/** In every frame, so that the phone is looked at too. */
export async function findBarriers({ page }: Pick<ShopPage, 'page'>): Promise<string[]> {
  for (const frame of page.frames()) {
    await frame.evaluate(axeSource);
  }
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
  );
}
