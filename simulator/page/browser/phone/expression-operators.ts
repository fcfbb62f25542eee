/** What the operators of an expression between `{{` and `}}` do. */

export type Scope = Readonly<Record<string, unknown>>;
export type Evaluate = (scope: Scope) => unknown;

/** Of the operators between two expressions; a higher one binds closer. */
export const PRECEDENCE: Record<string, number> = {
  '??': 1,
  '||': 1,
  '&&': 2,
  '===': 3,
  '!==': 3,
  '==': 3,
  '!=': 3,
  '<': 4,
  '>': 4,
  '<=': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
};

export function toText(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  return value === undefined || value === null ? '' : (JSON.stringify(value) ?? '');
}

/** A member of a value; undefined where there is no value, as in WeChat. */
export const read = (value: unknown, name: string): unknown =>
  value === undefined || value === null ? undefined : (value as Record<string, unknown>)[name];

/** Undefined when the target is no function. */
export function call(target: unknown, values: unknown[]): unknown {
  return typeof target === 'function' ? (target(...values) as unknown) : undefined;
}

/** What an operator between two expressions gives. */
export function combine(sign: string, left: Evaluate, right: Evaluate): Evaluate {
  switch (sign) {
    case '&&':
      return (scope) => left(scope) && right(scope);
    case '||':
      return (scope) => left(scope) || right(scope);
    case '??':
      return (scope) => left(scope) ?? right(scope);
    default:
      return (scope) => calculate(sign, left(scope), right(scope));
  }
}

function calculate(sign: string, a: unknown, b: unknown): unknown {
  switch (sign) {
    case '===':
      return a === b;
    case '!==':
      return a !== b;
    case '==':
      return a === b || toText(a) === toText(b);
    case '!=':
      return a !== b && toText(a) !== toText(b);
    case '+':
      return typeof a === 'number' && typeof b === 'number' ? a + b : toText(a) + toText(b);
    default:
      return compute(sign, Number(a), Number(b));
  }
}

function compute(sign: string, a: number, b: number): number | boolean {
  switch (sign) {
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}
