import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBarriers } from './barriers.ts';
import { arrow, enterPassword, order, type Shop, startShop } from './shop-page.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test('nobody meets a barrier: at the start, while paying, with a message open', async () => {
    const open = await shop.open({ colorScheme });
    expect(await findBarriers(open)).toEqual([]);
    await order(open);
    await open.page.waitForTimeout(400);
    expect(await findBarriers(open)).toEqual([]);
    await enterPassword(open);
    await open.phone.getByText('Paid', { exact: true }).waitFor();
    await arrow(open, /\/notify\/v2\/payment/)
      .last()
      .click();
    expect(await findBarriers(open)).toEqual([]);
    await open.close();
  });
});

describe('the language', () => {
  test('is the one of the browser, and a button switches page and phone', async () => {
    const open = await shop.open({ locale: 'zh-CN' });
    const title = open.page.getByRole('heading', { level: 1, name: '在本机体验微信支付' });
    await title.waitFor();
    await order(open);
    await open.phone.getByText('请输入支付密码').waitFor();
    await enterPassword(open);
    await open.phone.getByText('支付成功', { exact: true }).waitFor();
    expect(await open.page.locator('html').getAttribute('lang')).toBe('zh-CN');

    await open.page.getByRole('button', { name: 'English' }).click();
    await open.page.getByRole('heading', { name: 'WeChat Pay on your machine' }).waitFor();
    await open.phone.getByRole('button', { name: /^Pay/ }).waitFor();
    const text = (await open.page.locator('body').innerText()).replaceAll(/拿铁|中文/g, '');
    expect(text).not.toMatch(/\p{Script=Han}/u);
    await open.close();
  });
});

describe('on a phone', () => {
  test('nothing is wider than the screen', async () => {
    const open = await shop.open();
    await open.page.setViewportSize({ width: 390, height: 844 });
    const { x, width } = (await open.page.locator('main').boundingBox()) ?? { x: 0, width: 0 };
    const scrollWidth = await open.page.locator('html').evaluate((html) => html.scrollWidth);

    expect([x, width, scrollWidth]).toEqual([0, 390, 390]);
    await open.close();
  });
});

describe('the server of the page', () => {
  const get = (path: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      request(shop.stack.simulatorUrl + path, { headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });

  test('lets no other site in: neither by its name nor by its origin', async () => {
    const foreign = { host: 'evil.example' };

    expect(await get('/', {})).toBe(200);
    expect(await get('/', foreign)).toBe(403);
    expect(await get('/_page/api/_local/status', foreign)).toBe(403);
    expect(await get('/_page/api/_local/status', { origin: 'https://evil.example' })).toBe(403);
  });

  test('forbids inline code and everything from elsewhere', async () => {
    const answer = await fetch(`${shop.stack.simulatorUrl}/`);
    const policy = answer.headers.get('content-security-policy') ?? '';

    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:/);
    expect(await answer.text()).not.toMatch(/<script(?![^>]*\ssrc=)|style="|https?:\/\//);
  });

  test('gives out its own files only', async () => {
    const paths = ['/page/../page.ts', '/page/%2e%2e/page.ts', '/page/tsconfig.json', '/page/x.ts'];
    const statuses = await Promise.all(paths.map((path) => get(path, {})));

    expect(statuses).toEqual([404, 404, 404, 404]);
  });
});
