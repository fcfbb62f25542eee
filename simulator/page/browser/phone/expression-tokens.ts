/** The words and signs of an expression between `{{` and `}}`. */

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([A-Za-z_$][\w$]*)|(===|!==|==|!=|<=|>=|&&|\|\||\?\?|\.\.\.|[-+*/%<>!?:.,()[\]{}]))/y;

export interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'sign' | 'end';
  readonly value: string;
}

/** @throws {Error} that quotes what cannot be read. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = source.trim();
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match) {
      throw new Error(`WXML: cannot read {{${source}}} at "${trimmed.slice(at)}"`);
    }
    const [, number, single, double, name, sign] = match;
    const text = single ?? double;
    if (number !== undefined) {
      tokens.push({ kind: 'number', value: number });
    } else if (text !== undefined) {
      tokens.push({ kind: 'text', value: text.replaceAll(/\\(.)/g, '$1') });
    } else {
      tokens.push(
        name === undefined ? { kind: 'sign', value: sign ?? '' } : { kind: 'name', value: name },
      );
    }
  }
  return tokens;
}

export const END: Token = { kind: 'end', value: '' };
