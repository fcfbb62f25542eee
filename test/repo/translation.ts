/** How two language versions of one document differ in what both have to say alike. */
import {
  codeSpansOf,
  commandsOf,
  fencesOf,
  linksOf,
  rowsOf,
  type Section,
  sectionsOf,
} from './markdown.ts';

/** Text between angle brackets stands for a value of the reader's, in the reader's language. */
const placeholder = (code: string) => code.replaceAll(/<[^<>]*>/g, '<>');

/** A page and its other language are one target, and so are the two pictures of one thing. */
const target = (link: string) =>
  link
    .replace('.zh-CN.md', '.md')
    .replace(/\.(en|zh)\.png$/, '.png')
    .replace(/#.*$/, '#');

/** `text` blocks are drawings, with words; the others are the same but for their comments. */
const blocksOf = (text: string) =>
  fencesOf(text).map(({ language, text: block }) =>
    language === 'text'
      ? language
      : `${language}\n${block.replaceAll(/(?<=^|\s)(#|\/\/) .*$/gm, '')}`,
  );

/** What has to be equal in each section, in this order or, for sets, in any. */
const PARTS: readonly (readonly [string, (text: string) => string[], 'list' | 'set'])[] = [
  ['command', commandsOf, 'list'],
  ['block', blocksOf, 'list'],
  ['row', (text) => rowsOf(text).map(placeholder), 'list'],
  ['code', (text) => codeSpansOf(text).map(placeholder), 'set'],
  ['link', (text) => linksOf(text).map(target), 'set'],
];

function missing(from: readonly string[], in_: readonly string[]): string[] {
  const left = [...in_];
  return from.filter((each) => {
    const position = left.indexOf(each);
    if (position >= 0) {
      left.splice(position, 1);
    }
    return position < 0;
  });
}

function compareSections(english: Section, chinese: Section): string[] {
  const where = `“${english.title}”`;
  return PARTS.flatMap(([name, read, kind]) => {
    const [en, zh] = [english, chinese].map(({ text }) => {
      const found = read(text);
      return kind === 'set' ? [...new Set(found)].toSorted() : found;
    }) as [string[], string[]];
    const differences = [
      ...missing(en, zh).map((each) => `${where}: ${name} in English only: ${each}`),
      ...missing(zh, en).map((each) => `${where}: ${name} in Chinese only: ${each}`),
    ];
    const isOrdered = differences.length > 0 || en.every((each, index) => each === zh[index]);
    return isOrdered ? differences : [`${where}: ${name}s in another order`];
  });
}

/**
 * Differences in headings (number, levels, order) and, section by section, in commands, code blocks,
 * rows of tables, code spans and links. Empty when the two say the same, as far as a program can tell.
 * What may differ: words, comments in code, drawings, placeholders, and the language of a picture.
 */
export function compareTranslation(english: string, chinese: string): string[] {
  const [en, zh] = [sectionsOf(english), sectionsOf(chinese)];
  const outline = (sections: readonly Section[]) => sections.map(({ level }) => level).join(' ');
  if (outline(en) !== outline(zh)) {
    const titles = (sections: readonly Section[]) =>
      sections.map(({ level, title }) => `${'#'.repeat(level)} ${title}`).join(', ');
    return [`other headings: ${titles(en)} / ${titles(zh)}`];
  }
  return en.flatMap((section, index) => compareSections(section, zh[index] ?? section));
}
