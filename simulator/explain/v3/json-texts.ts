/** The same JSON as other programs write it: to recognise a body that was serialised twice. */

interface Style {
  readonly how: string;
  readonly colon: string;
  readonly comma: string;
  /** Absent: on one line. */
  readonly indent?: string;
  readonly escape?: (text: string) => string;
  readonly sorted?: boolean;
}

const escapeUnicode = (text: string) =>
  text.replaceAll(/[\u007F-\uFFFF]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
const escapeSlash = (text: string) => text.replaceAll('/', '\\/');
const escapeHtml = (text: string) =>
  text.replaceAll(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);

const COMPACT = { colon: ':', comma: ',' };
const STYLES: Style[] = [
  { how: 'JSON.stringify', ...COMPACT },
  { how: 'Python json.dumps', colon: ': ', comma: ', ', escape: escapeUnicode },
  { how: 'Python json.dumps, ensure_ascii=False', colon: ': ', comma: ', ' },
  { how: 'PHP json_encode', ...COMPACT, escape: (text) => escapeSlash(escapeUnicode(text)) },
  { how: 'PHP json_encode, JSON_UNESCAPED_UNICODE', ...COMPACT, escape: escapeSlash },
  { how: '\\u escapes', ...COMPACT, escape: escapeUnicode },
  { how: 'Go json.Marshal', ...COMPACT, escape: escapeHtml },
  { how: 'indented by 2', colon: ': ', comma: ',', indent: '  ' },
  { how: 'indented by 4', colon: ': ', comma: ',', indent: '    ' },
  { how: 'indented by a tab', colon: ': ', comma: ',', indent: '\t' },
  { how: 'names sorted', ...COMPACT, sorted: true },
  { how: 'names sorted, \\u escapes', ...COMPACT, sorted: true, escape: escapeUnicode },
];

function write(value: unknown, style: Style, margin = ''): string {
  if (typeof value !== 'object' || value === null) {
    const text = JSON.stringify(value);
    return style.escape ? style.escape(text) : text;
  }
  const inner = style.indent === undefined ? '' : margin + style.indent;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const items = listItems(value, style, inner);
  if (items.length === 0) {
    return open + close;
  }
  return style.indent === undefined
    ? open + items.join(style.comma) + close
    : `${open}\n${inner}${items.join(`${style.comma}\n${inner}`)}\n${margin}${close}`;
}

function listItems(value: object, style: Style, margin: string): string[] {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => write(item, style, margin));
  }
  const entries: [string, unknown][] = Object.entries(value);
  const ordered = style.sorted ? entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) : entries;
  return ordered.map(
    ([name, item]) => write(name, style) + style.colon + write(item, style, margin),
  );
}

/** Other spellings of a JSON text; none when it is not JSON. */
export function listJsonTexts(body: string): { text: string; how: string }[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return [];
  }
  return STYLES.map((style) => ({ how: style.how, text: write(value, style) })).filter(
    ({ text }) => text !== body,
  );
}
