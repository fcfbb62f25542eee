/** Reads WXML into a tree. Not HTML: names keep their case, every element is closed. */

export interface WxmlElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly WxmlNode[];
}

/** Text still has its `{{ }}`. */
export type WxmlNode = WxmlElement | string;

const PIECE =
  /<!--.*?-->|<\/([\w-]+)\s*>|<([\w-]+)((?:\s+[\w:.-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'))?)*)\s*(\/?)>|([^<]+)/gsy;
const ATTRIBUTE = /([\w:.-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?/g;
const ENTITIES: Record<string, string> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

interface OpenElement extends WxmlElement {
  readonly children: WxmlNode[];
}

/** @throws {Error} with the file's name and the place that cannot be read. */
export function parseWxml(source: string, file: string): readonly WxmlNode[] {
  const root: OpenElement = { tag: '', attributes: {}, children: [] };
  const open: OpenElement[] = [root];
  const fail = (at: number) => new Error(`${file}: cannot read "${source.slice(at, at + 40)}"`);
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < source.length) {
    const at = PIECE.lastIndex;
    const match = PIECE.exec(source);
    if (!match) {
      throw fail(at);
    }
    const [, closed, tag, attributes = '', selfClosing, text] = match;
    const parent = open.at(-1) ?? root;
    if (closed !== undefined) {
      if (parent.tag !== closed) {
        throw fail(at);
      }
      open.pop();
    } else if (tag !== undefined) {
      const element = { tag, attributes: readAttributes(attributes), children: [] };
      parent.children.push(element);
      if (selfClosing === '') {
        open.push(element);
      }
    } else if (text !== undefined && text.trim() !== '') {
      parent.children.push(decodeEntities(trimLines(text)));
    }
  }
  if (open.length > 1) {
    throw new Error(`${file}: <${open.at(-1)?.tag}> is not closed`);
  }
  return root.children;
}

function readAttributes(source: string): Record<string, string> {
  return Object.fromEntries(
    [...source.matchAll(ATTRIBUTE)].map(([, name = '', double, single]) => [
      name,
      decodeEntities(double ?? single ?? ''),
    ]),
  );
}

/** Line breaks around a text are layout of the source. */
function trimLines(text: string): string {
  return text.replace(/^\s*\n\s*/, '').replace(/\s*\n\s*$/, '');
}

const decodeEntities = (text: string) =>
  text.replaceAll(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
