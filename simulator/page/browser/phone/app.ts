/** `App`, `Page` and the stack of open pages, as WeChat runs them. */
import './globals.ts';
import { showNavigation } from './navigation-bar.ts';
import { requireModule } from './modules.ts';
import { type Dispatch, patch } from './patch.ts';
import { render } from './render.ts';
import { assignPath } from './set-data.ts';
import { applyWxss } from './wxss.ts';
import { parseWxml, type WxmlElement, type WxmlNode } from './wxml.ts';

type Method = (this: object, ...values: unknown[]) => unknown;
type PageOptions = Record<string, unknown> & { data?: Record<string, unknown> };

interface OpenPage {
  readonly path: string;
  readonly url: string;
  readonly element: HTMLElement;
  readonly instance: Record<string, unknown> & { data: Record<string, unknown> };
  redraw(): void;
}

const pageOptions = new Map<string, PageOptions>();
const stack: OpenPage[] = [];
let app: Record<string, unknown> | undefined;
let loadingPath = '';
/** What every page's address begins with in `app.json`. */
let knownPages: readonly string[] = [];

globalThis.App = (options) => {
  app = { ...options };
};
globalThis.Page = (options) => {
  pageOptions.set(loadingPath, options as PageOptions);
};
globalThis.getApp = () => app;
globalThis.getCurrentPages = () => stack.map(({ instance }) => instance);

/** Starts the mini-program as if it had just been opened. */
export function launch(): void {
  knownPages = readJson('app.json')['pages'] as string[];
  applyWxss('app', miniProgramFiles.text['app.wxss'] ?? '');
  requireModule('app.js');
  for (const path of knownPages) {
    loadingPath = path;
    requireModule(`${path}.js`);
  }
  const options = { path: knownPages[0], query: {}, scene: 1001 };
  callHook(app, 'onLaunch', options);
  callHook(app, 'onShow', options);
  open(`/${knownPages[0]}`);
}

/** The buyer goes to another app, and comes back. */
export function setShown(isShown: boolean): void {
  callHook(app, isShown ? 'onShow' : 'onHide', {});
  callHook(stack.at(-1)?.instance, isShown ? 'onShow' : 'onHide');
}

/** The navigation of `wx`; each answers an error text, or undefined when it went well. */
export const navigation = {
  navigateTo: (url: string) => goTo(url, () => callHook(stack.at(-1)?.instance, 'onHide')),
  redirectTo: (url: string) => goTo(url, closeTop),
  reLaunch: (url: string) =>
    goTo(url, () => {
      while (stack.length > 0) {
        closeTop();
      }
    }),
  navigateBack(delta: number): string | undefined {
    if (stack.length < 2) {
      return 'cannot navigate back at first page';
    }
    for (let left = Math.min(delta, stack.length - 1); left > 0; left -= 1) {
      closeTop();
    }
    showTop();
    callHook(stack.at(-1)?.instance, 'onShow');
    return undefined;
  },
};

function goTo(url: string, before: () => void): string | undefined {
  const absolute = new URL(url, `file:///${stack.at(-1)?.path ?? ''}`);
  const path = absolute.pathname.slice(1);
  if (!knownPages.includes(path)) {
    return `page "${path}" is not found`;
  }
  before();
  open(`/${path}${absolute.search}`);
  return undefined;
}

function closeTop(): void {
  const closed = stack.pop();
  callHook(closed?.instance, 'onUnload');
  closed?.element.remove();
}

function open(url: string): void {
  const { pathname, searchParams } = new URL(url, 'file:///');
  const path = pathname.slice(1);
  const options = pageOptions.get(path) ?? {};
  const nodes = parseWxml(miniProgramFiles.text[`${path}.wxml`] ?? '', `${path}.wxml`);
  const element = document.createElement('page');
  element.dataset['path'] = path;
  const page = createPage(path, url, element, options, nodes);
  stack.push(page);
  document.querySelector('#screen')?.append(element);
  applyWxss(path, miniProgramFiles.text[`${path}.wxss`] ?? '', `page[data-path="${path}"]`);
  page.redraw();
  showTop();
  callHook(page.instance, 'onLoad', Object.fromEntries(searchParams));
  callHook(page.instance, 'onShow');
  callHook(page.instance, 'onReady');
}

function createPage(
  path: string,
  url: string,
  element: HTMLElement,
  options: PageOptions,
  nodes: readonly WxmlNode[],
): OpenPage {
  const helpers = loadWxs(path, nodes);
  const data = structuredClone(options.data ?? {});
  const dispatch: Dispatch = ({ method }, event) => callHook(instance, method, event);
  const redraw = () => patch(element, render(nodes, { ...instance.data, ...helpers }), dispatch);
  const instance = {
    ...options,
    data,
    route: path,
    options: Object.fromEntries(new URL(url, 'file:///').searchParams),
    setData(changes: Record<string, unknown>, done?: () => void) {
      for (const [where, value] of Object.entries(changes)) {
        assignPath(instance.data, where, value);
      }
      redraw();
      done?.call(instance);
    },
  };
  return { path, url, element, instance, redraw };
}

/** `<wxs module src>`: functions that a template may call. */
function loadWxs(path: string, nodes: readonly WxmlNode[]): Record<string, unknown> {
  const used = nodes.filter((node): node is WxmlElement => typeof node !== 'string');
  return Object.fromEntries(
    used
      .filter(({ tag }) => tag === 'wxs')
      .map(({ attributes: { module = '', src = '' } }) => [
        module,
        requireModule(new URL(src, `file:///${path}`).pathname.slice(1)),
      ]),
  );
}

function showTop(): void {
  const top = stack.at(-1);
  for (const { element } of stack) {
    element.hidden = element !== top?.element;
  }
  dress();
  showNavigation(
    lookOf(top)['navigationBarTitleText'] ?? '',
    stack.length > 1 ? () => navigation.navigateBack(1) : undefined,
  );
  document.querySelector('#screen')?.scrollTo(0, 0);
}

function lookOf(page: OpenPage | undefined): Record<string, string> {
  const { window: forAll } = readJson('app.json') as { window?: Record<string, string> };
  return { ...forAll, ...(readJson(`${page?.path}.json`) as Record<string, string>) };
}

/** Colours of `app.json`; `@name` is in `theme.json`, once for each theme. */
export function dress(): void {
  const look = lookOf(stack.at(-1));
  const isDark = document.documentElement.dataset['theme'] === 'dark';
  const theme = (readJson('theme.json')[isDark ? 'dark' : 'light'] ?? {}) as Record<string, string>;
  const colourOf = (name: string) => look[name]?.replace(/^@(\w+)$/, (_, key) => theme[key] ?? '');
  const { style } = document.documentElement;
  style.setProperty('--bar', colourOf('navigationBarBackgroundColor') ?? null);
  style.setProperty('--page', colourOf('backgroundColor') ?? null);
}

function callHook(target: object | undefined, name: string, ...values: unknown[]): void {
  const method = (target as Record<string, unknown> | undefined)?.[name];
  if (target && typeof method === 'function') {
    (method as Method).apply(target, values);
  }
}

const readJson = (path: string) =>
  JSON.parse(miniProgramFiles.text[path] ?? '{}') as Record<string, unknown>;
