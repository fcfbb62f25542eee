/** What the documents' tests read out of a Markdown text, as GitHub renders it. */

export interface Fence {
  readonly language: string;
  readonly text: string;
}

export interface Section {
  readonly level: number;
  readonly title: string;
  /** What follows, up to the next heading of any level. */
  readonly text: string;
}

const FENCE = /^( *)```(\w*)\n(.*?)^\1```$/gms;

export const fencesOf = (text: string): Fence[] =>
  [...text.matchAll(FENCE)].map(([, , language = '', block = '']) => ({ language, text: block }));

const withoutFences = (text: string) => text.replaceAll(FENCE, '');

/** Headings with their texts; what stands before the first heading is a section of level 0. */
export function sectionsOf(text: string): Section[] {
  // A heading begins at a line of its own; the same sign in a fence is a comment of the shell.
  const fences = [...text.matchAll(FENCE)].map(({ index, 0: { length } }) => [
    index,
    index + length,
  ]);
  const headings = [...text.matchAll(/^(#{1,6}) (.+)$/gm)].filter(({ index }) =>
    fences.every(([start = 0, end = 0]) => index < start || index >= end),
  );
  const starts = headings.map(({ index }) => index);
  return [
    { level: 0, title: '', text: text.slice(0, starts[0] ?? text.length) },
    ...headings.map(({ index, 0: line, 1: signs = '', 2: title = '' }, position) => ({
      level: signs.length,
      title,
      text: text.slice(index + line.length, starts[position + 1] ?? text.length),
    })),
  ].filter(({ level, text: body }) => level > 0 || body.trim() !== '');
}

/** The commands of the shell blocks; comments left out, continued lines joined. */
export const commandsOf = (text: string): string[] =>
  fencesOf(text)
    .filter(({ language }) => /^(sh|bash|shell|console)$/.test(language))
    .flatMap(({ text: block }) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/\s+#.*$/, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '' && !line.startsWith('#'));

const CODE_SPAN = /(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/gs;

/** Contents of the code spans outside of fences, in order. */
export const codeSpansOf = (text: string): string[] =>
  [...withoutFences(text).matchAll(CODE_SPAN)].map(([, , code = '']) =>
    code.replaceAll(/\s+/g, ' ').trim(),
  );

const withoutCode = (text: string) => withoutFences(text).replaceAll(CODE_SPAN, '');

/** Targets of links and pictures, in Markdown and in HTML. */
export const linksOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(
    ([, link, attribute]) => link ?? attribute ?? '',
  );

/** Each row of each table as the number of its cells and its code spans; the line below a head not. */
export const rowsOf = (text: string): string[] =>
  (withoutFences(text).match(/^\|.*$/gm) ?? [])
    .filter((row) => !/^[|\s:-]+$/.test(row))
    .map((row) => {
      const cells = withoutCode(row).replaceAll('\\|', '').split('|').length - 2;
      return `${cells} cells: ${codeSpansOf(row).toSorted().join(' ')}`;
    });

/** First cells (one code span each) of the table that has a row for `row`, with their whole row. */
export function tableWith(text: string, row: string): Record<string, string> {
  const tables = text.split(/\n(?!\|)/).filter((block) => block.trimStart().startsWith('|'));
  const table = tables.find((block) => block.includes(`| \`${row}\` |`));
  return Object.fromEntries(
    [...(table ?? '').matchAll(/^\| `([^`]+)` \|.*$/gm)].map(([line, name]) => [name, line]),
  );
}

/**
 * The anchors that GitHub gives the headings: lower case; letters and digits of any script, `_`, `-`
 * and blanks stay, the rest goes; blanks become `-`; a repeated one gets a number.
 */
export function anchorsOf(text: string): string[] {
  const counts = new Map<string, number>();
  const headings = sectionsOf(text).flatMap(({ level, title }) => (level > 0 ? [title] : []));
  const named = [...withoutCode(text).matchAll(/<a (?:id|name)="([^"]+)"/g)].map(
    ([, name = '']) => name,
  );
  return [
    ...headings.map((title) => {
      const anchor = title
        .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
        .replaceAll(' ', '-');
      const count = counts.get(anchor) ?? 0;
      counts.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
    ...named,
  ];
}
