/**
 * Evaluates what stands between `{{` and `}}` in WXML. A parser of its own, because the page's
 * content security policy allows no `eval`, as WeChat's own runtime does not.
 */

import {
  call,
  combine,
  type Evaluate,
  PRECEDENCE,
  read,
  type Scope,
  toText,
} from './expression-operators.ts';
import { END, type Token, tokenize } from './expression-tokens.ts';

const KEYWORDS: Scope = { true: true, false: false, null: null, undefined };

const compiled = new Map<string, Evaluate>();

/** The value of one expression; a name that the scope lacks is undefined, as in WeChat. */
function evaluate(source: string, scope: Scope): unknown {
  let run = compiled.get(source);
  if (!run) {
    run = new Parser(source).parse();
    compiled.set(source, run);
  }
  return run(scope);
}

/** The value of an attribute or text: one `{{ }}` alone keeps its type, anything else is text. */
export function interpolate(template: string, scope: Scope): unknown {
  const [, only] = /^\{\{([^}]*(?:\}[^}]+)*)\}\}$/.exec(template) ?? [];
  if (only !== undefined && !only.includes('{{')) {
    return evaluate(only, scope);
  }
  return template.replaceAll(/\{\{(.*?)\}\}/gs, (_, source: string) =>
    toText(evaluate(source, scope)),
  );
}

/** A class because the position in the tokens moves with every step. */
class Parser {
  readonly #source: string;
  readonly #tokens: Token[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  parse(): Evaluate {
    const run = this.#isObjectBody() ? this.#objectBody('') : this.#ternary();
    if (this.#peek() !== END) {
      throw this.#error();
    }
    return run;
  }

  #peek = (offset = 0): Token => this.#tokens[this.#at + offset] ?? END;

  #take(sign?: string): Token {
    const token = this.#peek();
    if (sign !== undefined && !(token.kind === 'sign' && token.value === sign)) {
      throw this.#error();
    }
    this.#at += 1;
    return token;
  }

  #accept(sign: string): boolean {
    const { kind, value } = this.#peek();
    if (kind !== 'sign' || value !== sign) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  #error = () => new Error(`WXML: cannot read {{${this.#source}}}`);

  /** `data="{{name: value}}"` of a template is an object without its braces. */
  #isObjectBody(): boolean {
    const [first, second] = [this.#peek(), this.#peek(1)];
    return first.value === '...' || (first.kind === 'name' && second.value === ':');
  }

  #ternary(): Evaluate {
    const condition = this.#binary(1);
    if (!this.#accept('?')) {
      return condition;
    }
    const yes = this.#ternary();
    this.#take(':');
    const no = this.#ternary();
    return (scope) => (condition(scope) ? yes(scope) : no(scope));
  }

  #binary(least: number): Evaluate {
    let left = this.#unary();
    for (;;) {
      const { kind, value } = this.#peek();
      const precedence = kind === 'sign' ? PRECEDENCE[value] : undefined;
      if (precedence === undefined || precedence < least) {
        return left;
      }
      this.#at += 1;
      left = combine(value, left, this.#binary(precedence + 1));
    }
  }

  #unary(): Evaluate {
    if (this.#accept('!')) {
      const value = this.#unary();
      return (scope) => !value(scope);
    }
    if (this.#accept('-')) {
      const value = this.#unary();
      return (scope) => -Number(value(scope));
    }
    return this.#path();
  }

  #path(): Evaluate {
    let value = this.#primary();
    for (;;) {
      const of = value;
      if (this.#accept('.')) {
        const { value: name } = this.#take();
        value = (scope) => read(of(scope), name);
      } else if (this.#accept('[')) {
        const index = this.#ternary();
        this.#take(']');
        value = (scope) => read(of(scope), toText(index(scope)));
      } else if (this.#accept('(')) {
        const list = this.#list(')');
        value = (scope) => call(of(scope), list(scope));
      } else {
        return value;
      }
    }
  }

  #primary(): Evaluate {
    const { kind, value } = this.#take();
    if (kind === 'number') {
      return () => Number(value);
    }
    if (kind === 'text') {
      return () => value;
    }
    if (kind === 'name') {
      return (scope) => (value in scope ? scope[value] : KEYWORDS[value]);
    }
    if (value === '(') {
      const inner = this.#ternary();
      this.#take(')');
      return inner;
    }
    if (value === '[') {
      return this.#list(']');
    }
    if (value === '{') {
      return this.#objectBody('}');
    }
    throw this.#error();
  }

  #list(end: string): (scope: Scope) => unknown[] {
    const items: Evaluate[] = [];
    while (!this.#accept(end)) {
      items.push(this.#ternary());
      this.#accept(',');
    }
    return (scope) => items.map((item) => item(scope));
  }

  #objectBody(end: string): Evaluate {
    const parts: ((scope: Scope) => object)[] = [];
    while (end === '' ? this.#peek() !== END : !this.#accept(end)) {
      if (this.#accept('...')) {
        const spread = this.#ternary();
        parts.push((scope) => ({ ...(spread(scope) as object) }));
      } else {
        const name = this.#take();
        const value: Evaluate = this.#accept(':') ? this.#ternary() : (scope) => scope[name.value];
        parts.push((scope) => ({ [name.value]: value(scope) }));
      }
      this.#accept(',');
    }
    return (scope) => Object.assign({}, ...parts.map((part) => part(scope))) as unknown;
  }
}
