/**
 * A second, hand-written reader of v2 messages: a character at a time, one grammar rule per
 * function, nothing in common with the parser under test. What it cannot read is not a message.
 */

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['apos', "'"],
  ['quot', '"'],
]);

class NotAMessage extends Error {}

/** The fields of a message, or `undefined` when the text is not `<xml><name>value</name>…</xml>`. */
export function readIndependently(text: string): Map<string, string> | undefined {
  const cursor = new Cursor(text.replace(/\r\n?/g, '\n'));
  try {
    return readDocument(cursor);
  } catch (error) {
    if (error instanceof NotAMessage) {
      return undefined;
    }
    throw error;
  }
}

class Cursor {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Takes what the pattern (sticky) matches here. */
  take(pattern: RegExp): string {
    const sticky = new RegExp(pattern.source, 'y');
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text)?.[0];
    if (found === undefined) {
      throw new NotAMessage();
    }
    this.at += found.length;
    return found;
  }

  sees(start: string): boolean {
    return this.text.startsWith(start, this.at);
  }

  get ended(): boolean {
    return this.at === this.text.length;
  }
}

function readDocument(cursor: Cursor): Map<string, string> {
  if (cursor.sees('<?')) {
    cursor.take(/<\?[xX][mM][lL]\s+[vV][eE][rR][sS][iI][oO][nN]=(["'])1\.[01]\1(\s+[^?>]*)?\s*\?>/);
  }
  cursor.take(/\s*/);
  const root = cursor.take(/<(xml|root)\s*>/).replace(/[<>\s]/g, '');
  const fields = new Map<string, string>();
  for (;;) {
    readBlank(cursor);
    if (cursor.sees('</')) {
      break;
    }
    const [name, value] = readElement(cursor);
    if (fields.has(name)) {
      throw new NotAMessage();
    }
    fields.set(name, value);
  }
  cursor.take(new RegExp(`</${root}\\s*>`));
  cursor.take(/\s*/);
  if (!cursor.ended || fields.size === 0) {
    throw new NotAMessage();
  }
  return fields;
}

/** Between elements: white space only, however it is written. */
function readBlank(cursor: Cursor): void {
  if (readText(cursor).trim() !== '') {
    throw new NotAMessage();
  }
}

function readElement(cursor: Cursor): [string, string] {
  const open = cursor.take(/<[A-Za-z][A-Za-z0-9_]{0,63}\s*\/?>/);
  const name = open.replace(/[<>/\s]/g, '');
  if (open.endsWith('/>')) {
    return [name, ''];
  }
  const value = readText(cursor);
  cursor.take(new RegExp(`</${name}\\s*>`));
  return [name, value];
}

/** Character data, references and CDATA sections up to the next tag. */
function readText(cursor: Cursor): string {
  let value = '';
  while (!cursor.ended) {
    if (cursor.sees('<![CDATA[')) {
      value += cursor
        .take(/<!\[CDATA\[[^]*?\]\]>/)
        .slice(9)
        .slice(0, -3);
    } else if (cursor.sees('<')) {
      break;
    } else if (cursor.sees('&')) {
      value += readReference(cursor);
    } else {
      value += cursor.take(/[^<&]+/);
    }
  }
  return value;
}

function readReference(cursor: Cursor): string {
  const name = cursor.take(/&[^&;<]*;/).slice(1, -1);
  const number = /^#(\d+)$/.exec(name)?.[1] ?? /^#x([0-9a-fA-F]+)$/.exec(name)?.[1];
  if (number !== undefined) {
    return String.fromCodePoint(parseInt(number, name[1] === 'x' ? 16 : 10));
  }
  const character = PREDEFINED.get(name);
  if (character === undefined) {
    throw new NotAMessage();
  }
  return character;
}
