/** Brings the DOM in line with virtual nodes, and changes only what differs: a field keeps its focus. */
import { toText } from './expression-operators.ts';
import type { Binding, VirtualElement, VirtualNode } from './render.ts';

/** Calls the page's method. */
export type Dispatch = (binding: Binding, event: WxEvent) => void;

export interface WxEvent {
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly target: WxTarget;
  readonly currentTarget: WxTarget;
}

interface WxTarget {
  readonly id: string;
  readonly dataset: Readonly<Record<string, unknown>>;
}

/** DOM events by WXML's names; `tap` is a click, and Enter on what is no button by itself. */
const DOM_EVENTS: Record<string, string> = {
  tap: 'click',
  input: 'input',
  blur: 'blur',
  focus: 'focus',
  confirm: 'keydown',
  submit: 'click',
  change: 'change',
};

const rendered = new WeakMap<Node, VirtualElement>();

export function patch(parent: Element, nodes: readonly VirtualNode[], dispatch: Dispatch): void {
  for (const [at, node] of nodes.entries()) {
    const existing = parent.childNodes[at];
    if (existing && isSameKind(existing, node)) {
      update(existing, node, dispatch);
    } else {
      const created = create(node, dispatch);
      if (existing) {
        existing.replaceWith(created);
      } else {
        parent.append(created);
      }
    }
  }
  while (parent.childNodes.length > nodes.length) {
    parent.lastChild?.remove();
  }
}

function isSameKind(existing: Node, node: VirtualNode): boolean {
  return typeof node === 'string'
    ? existing instanceof Text
    : rendered.get(existing)?.tag === node.tag;
}

function update(existing: Node, node: VirtualNode, dispatch: Dispatch): void {
  if (typeof node === 'string') {
    if (existing.textContent !== node) {
      existing.textContent = node;
    }
    return;
  }
  const element = existing as HTMLElement;
  const before = rendered.get(element)?.attributes ?? {};
  rendered.set(element, node);
  for (const name of Object.keys(before)) {
    if (!(name in node.attributes)) {
      setAttribute(element, node.tag, name, undefined);
    }
  }
  for (const [name, value] of Object.entries(node.attributes)) {
    if (before[name] !== value) {
      setAttribute(element, node.tag, name, value);
    }
  }
  makeReachable(element, node);
  patchChildren(element, node, dispatch);
}

function patchChildren(element: HTMLElement, node: VirtualElement, dispatch: Dispatch): void {
  // Neither has children in HTML.
  if (element instanceof HTMLInputElement || element instanceof HTMLImageElement) {
    return;
  }
  patch(element, node.children, dispatch);
}

function create(node: VirtualNode, dispatch: Dispatch): Node {
  if (typeof node === 'string') {
    return document.createTextNode(node);
  }
  // Unknown names give plain elements: WXSS selectors such as `view` fit them as they are.
  const element = document.createElement(node.tag === 'image' ? 'img' : node.tag);
  rendered.set(element, node);
  if (element instanceof HTMLButtonElement) {
    element.type = 'button';
  }
  if (element instanceof HTMLImageElement) {
    element.alt = '';
    element.dataset['wx'] = 'image';
  }
  for (const [name, value] of Object.entries(node.attributes)) {
    setAttribute(element, node.tag, name, value);
  }
  makeReachable(element, node);
  for (const [wxName, domName] of Object.entries(DOM_EVENTS)) {
    element.addEventListener(domName, (event) => handle(element, wxName, event, dispatch));
  }
  element.addEventListener('keydown', pressByKey);
  patchChildren(element, node, dispatch);
  return element;
}

function setAttribute(element: HTMLElement, tag: string, name: string, value: unknown): void {
  if (name === 'style') {
    // Not as an attribute: the content security policy refuses inline styles there.
    element.style.cssText = toText(value).replaceAll(/(-?[\d.]+)rpx/g, 'calc($1 * var(--rpx))');
  } else if (name === 'value' && 'value' in element) {
    if (element.value !== toText(value)) {
      element.value = toText(value);
    }
  } else if (name === 'src') {
    const path = toText(value).replace(/^\//, '');
    element.setAttribute('src', miniProgramFiles.text[path] ?? path);
  } else if (tag === 'input' && name === 'type') {
    setInputType(element, toText(value));
  } else if (tag === 'button' && (name === 'type' || name === 'size')) {
    element.setAttribute(`data-${name}`, toText(value));
  } else if (value === undefined || value === null || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? '' : toText(value));
  }
}

/** `digit` and `number` are keyboards of the phone, not checks. */
function setInputType(element: HTMLElement, type: string): void {
  if (type === 'digit' || type === 'number') {
    element.setAttribute('inputmode', type === 'digit' ? 'decimal' : 'numeric');
  }
  element.setAttribute('type', type === 'password' ? 'password' : 'text');
}

/** What can be tapped can also be reached and pressed with the keyboard. */
function makeReachable(element: HTMLElement, { bindings, tag }: VirtualElement): void {
  if (
    tag !== 'button' &&
    tag !== 'input' &&
    tag !== 'form' &&
    (bindings['tap'] || tag === 'navigator')
  ) {
    element.tabIndex = 0;
    element.setAttribute('role', tag === 'navigator' ? 'link' : 'button');
  }
}

function pressByKey(event: KeyboardEvent): void {
  const element = event.currentTarget as HTMLElement;
  const presses = event.key === 'Enter' || event.key === ' ';
  if (presses && event.target === element && element.hasAttribute('role')) {
    event.preventDefault();
    element.click();
  }
}

function handle(element: HTMLElement, wxName: string, event: Event, dispatch: Dispatch): void {
  const node = rendered.get(element);
  if (!node || element.matches('button[disabled]')) {
    return;
  }
  if (wxName === 'tap' && node.tag === 'navigator') {
    const { url, 'open-type': openType = 'navigate' } = node.attributes;
    const go = openType === 'navigateBack' ? 'navigateBack' : `${toText(openType)}To`;
    const name = { navigateTo: 'navigateTo', redirectTo: 'redirectTo' }[go] ?? toText(openType);
    (wx[name] as (options: object) => unknown)({ url: toText(url) });
  }
  const binding = node.bindings[wxName];
  if (!binding) {
    return;
  }
  const isMeant =
    wxName === 'confirm'
      ? (event as KeyboardEvent).key === 'Enter'
      : wxName !== 'submit' || (event.target as Element).matches('button[form-type=submit]');
  if (!isMeant) {
    return;
  }
  if (binding.stops) {
    event.stopPropagation();
  }
  const origin = rendered.get(event.target as Node) ?? node;
  dispatch(binding, {
    type: wxName,
    detail: readDetail(element),
    target: toTarget(event.target as HTMLElement, origin),
    currentTarget: toTarget(element, node),
  });
}

function readDetail(element: HTMLElement): Record<string, unknown> {
  if (element.matches('form')) {
    const fields = [...element.querySelectorAll<HTMLInputElement>('input[name], textarea[name]')];
    return { value: Object.fromEntries(fields.map(({ name, value }) => [name, value])) };
  }
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
    ? { value: element.value }
    : {};
}

const toTarget = (element: HTMLElement, { dataset }: VirtualElement): WxTarget => ({
  id: element.id,
  dataset,
});
