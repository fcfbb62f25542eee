/** WXML and data to virtual nodes: conditions, loops and bindings resolved. */
import { interpolate } from './expression.ts';
import { type Scope, toText } from './expression-operators.ts';
import type { WxmlElement, WxmlNode } from './wxml.ts';

/** Which method of the page an event of an element calls. */
export interface Binding {
  readonly method: string;
  /** `catch…`: the event goes no further up. */
  readonly stops: boolean;
}

export interface VirtualElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly dataset: Readonly<Record<string, unknown>>;
  /** By event name: `tap`, `input`, … */
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly children: readonly VirtualNode[];
}

export type VirtualNode = VirtualElement | string;

const CONDITIONS = ['wx:if', 'wx:elif', 'wx:else'] as const;
const EVENT = /^(bind|catch)(?:!?:)?([a-z]+)$/;

/** Templates of the file (`<template name>`), for `<template is>`. */
type Templates = ReadonlyMap<string, WxmlElement>;

export function render(nodes: readonly WxmlNode[], scope: Scope): VirtualNode[] {
  const templates = new Map(
    nodes
      .filter((node) => typeof node !== 'string')
      .filter((node) => node.tag === 'template' && node.attributes['name'] !== undefined)
      .map((node) => [node.attributes['name'] ?? '', node]),
  );
  return renderAll(nodes, scope, templates);
}

function renderAll(nodes: readonly WxmlNode[], scope: Scope, templates: Templates): VirtualNode[] {
  const rendered: VirtualNode[] = [];
  /** Whether a branch of the `wx:if` that is being read has been taken. */
  let taken = false;
  for (const node of nodes) {
    if (typeof node === 'string') {
      rendered.push(toText(interpolate(node, scope)));
      continue;
    }
    const condition = CONDITIONS.find((name) => name in node.attributes);
    if (condition !== undefined && node.attributes['wx:for'] === undefined) {
      taken = condition === 'wx:if' ? false : taken;
      const holds =
        condition === 'wx:else' || Boolean(interpolate(node.attributes[condition] ?? '', scope));
      if (taken || !holds) {
        continue;
      }
      taken = true;
    }
    rendered.push(...renderRepeated(node, scope, templates));
  }
  return rendered;
}

function renderRepeated(element: WxmlElement, scope: Scope, templates: Templates): VirtualNode[] {
  const { 'wx:for': list, ...attributes } = element.attributes;
  if (list === undefined) {
    return renderElement(element, scope, templates);
  }
  const { 'wx:for-item': item = 'item', 'wx:for-index': index = 'index' } = attributes;
  const value = interpolate(list, scope);
  const entries =
    typeof value === 'number'
      ? Array.from({ length: value }, (_, at) => [at, at] as const)
      : Object.entries((value ?? {}) as Record<string, unknown>).map(
          ([at, one]) => [Array.isArray(value) ? Number(at) : at, one] as const,
        );
  return entries.flatMap(([at, one]) =>
    renderAll([{ ...element, attributes }], { ...scope, [item]: one, [index]: at }, templates),
  );
}

function renderElement(element: WxmlElement, scope: Scope, templates: Templates): VirtualNode[] {
  const { tag, attributes, children } = element;
  if (tag === 'block') {
    return renderAll(children, scope, templates);
  }
  if (tag === 'template') {
    const used = templates.get(toText(interpolate(attributes['is'] ?? '', scope)));
    const data = interpolate(attributes['data'] ?? '', scope);
    return used ? renderAll(used.children, (data || {}) as Scope, templates) : [];
  }
  if (tag === 'wxs' || tag === 'import' || tag === 'page-meta') {
    return [];
  }
  const plain: Record<string, unknown> = {};
  const dataset: Record<string, unknown> = {};
  const bindings: Record<string, Binding> = {};
  for (const [name, template] of Object.entries(attributes)) {
    const [, kind, event] = EVENT.exec(name) ?? [];
    if (event !== undefined) {
      const method = toText(interpolate(template, scope));
      if (method !== '') {
        bindings[event] = { method, stops: kind === 'catch' };
      }
    } else if (name.startsWith('data-')) {
      dataset[camelCase(name.slice('data-'.length))] = interpolate(template, scope);
    } else if (!name.startsWith('wx:')) {
      plain[name] = template === '' ? true : interpolate(template, scope);
    }
  }
  return [
    { tag, attributes: plain, dataset, bindings, children: renderAll(children, scope, templates) },
  ];
}

const camelCase = (name: string) =>
  name.toLowerCase().replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
