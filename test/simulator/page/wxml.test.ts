import { describe, expect, test } from 'vitest';
import { interpolate } from '../../../simulator/page/browser/phone/expression.ts';
import { render, type VirtualNode } from '../../../simulator/page/browser/phone/render.ts';
import { assignPath } from '../../../simulator/page/browser/phone/set-data.ts';
import { parseWxml } from '../../../simulator/page/browser/phone/wxml.ts';

/** As text: `<tag name=value>children</tag>`. */
const draw = (source: string, data: Record<string, unknown> = {}) =>
  render(parseWxml(source, 'page.wxml'), data).map(show).join('');

const show = (node: VirtualNode): string => {
  if (typeof node === 'string') {
    return node;
  }
  const { tag, attributes, dataset, bindings, children } = node;
  const parts = [
    ...Object.entries(attributes).map(([name, value]) => `${name}=${String(value)}`),
    ...Object.entries(dataset).map(([name, value]) => `data.${name}=${JSON.stringify(value)}`),
    ...Object.entries(bindings).map(
      ([name, { method, stops }]) => `${name}→${method}${stops ? '!' : ''}`,
    ),
  ];
  return `<${[tag, ...parts].join(' ')}>${children.map(show).join('')}</${tag}>`;
};

describe('an expression', () => {
  test.each([
    ['{{1 + 2 * 3}}', 7],
    ['{{(1 + 2) * 3}}', 9],
    ['{{10 - 2 - 3}}', 5],
    ["{{a.b[0].c + '!'}}", 'deep!'],
    ["{{status === 'paid' ? '✓' : status === 'failed' ? '!' : '…'}}", '✓'],
    ['{{!missing && count > 1}}', true],
    ['{{missing.of.nothing}}', undefined],
    ['{{[1, count].length}}', 2],
    ['{{name: status}}', { name: 'paid' }],
    ['{{...a, more: 1}}', { b: [{ c: 'deep' }], more: 1 }],
    ['¥{{count}}.00 {{status}}', '¥2.00 paid'],
    ['{{count}}{{count}}', '22'],
    ["{{ '}' }}", '}'],
  ])('%s is %j', (source, expected) => {
    const data = { a: { b: [{ c: 'deep' }] }, status: 'paid', count: 2 };

    expect(interpolate(source, data)).toEqual(expected);
  });

  test('that cannot be read is quoted in the error', () => {
    expect(() => interpolate('{{a @ b}}', {})).toThrow('a @ b');
    expect(() => interpolate('{{a b}}', {})).toThrow('a b');
  });
});

describe('WXML', () => {
  test('is drawn with its data, its handlers and without comments', () => {
    const source =
      '<!-- x --><view class="a {{b}}" data-item-id="{{1}}" bindtap="go" catch:input="stop">{{text}}</view>';

    expect(draw(source, { b: 'c', text: '<b>' })).toBe(
      '<view class=a c data.itemId=1 tap→go input→stop!><b></view>',
    );
  });

  test('takes one branch of wx:if, wx:elif and wx:else', () => {
    const source = '<a wx:if="{{n === 1}}"/><b wx:elif="{{n === 2}}"/><c wx:else/>';

    expect([1, 2, 3].map((n) => draw(source, { n }))).toEqual(['<a></a>', '<b></b>', '<c></c>']);
  });

  test('repeats with wx:for, with names of its own for item and index', () => {
    const source = `<block wx:for="{{rows}}" wx:for-item="row" wx:for-index="at" wx:key="id">
      <view wx:if="{{row.shown}}">{{at}} {{row.name}}</view>
    </block>`;
    const rows = [{ name: 'x', shown: true }, { name: 'y' }, { name: 'z', shown: true }];

    expect(draw(source, { rows })).toBe('<view>0 x</view><view>2 z</view>');
  });

  test('fills templates with the data that they are given and no other', () => {
    const source =
      '<template name="price">¥{{fen}}{{secret}}</template><template is="price" data="{{fen: 5}}"/>';

    expect(draw(source, { secret: 'no' })).toBe('¥5');
  });

  test('that is not well formed is refused with the name of the file', () => {
    expect(() => draw('<view><text></view>')).toThrow('page.wxml');
    expect(() => draw('<view>')).toThrow('<view> is not closed');
  });
});

describe('setData', () => {
  test('reaches into lists and objects, and makes what is not there', () => {
    const data: Record<string, unknown> = { items: [{ name: 'a' }] };
    assignPath(data, 'items[0].name', 'b');
    assignPath(data, 'items[1].name', 'c');
    assignPath(data, 'order.state', 'paid');

    expect(data).toEqual({ items: [{ name: 'b' }, { name: 'c' }], order: { state: 'paid' } });
  });
});
