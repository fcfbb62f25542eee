/**
 * Which records a function is given: the patterns of `FilterCriteria`, with the rules that are used
 * here. https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */

export type Filter = (record: unknown) => boolean;

type Node = Readonly<Record<string, unknown>>;
type Rule = (value: unknown) => boolean;

/**
 * A record passes if one of the patterns fits, or if there is none.
 *
 * @throws {Error} naming a rule that is not known here: it must not be taken for one that fits.
 */
export function compileFilters(patterns: readonly unknown[]): Filter {
  const filters = patterns.map((pattern) => compileNode(pattern, ''));
  return (record) => filters.length === 0 || filters.some((fits) => fits(record));
}

function compileNode(pattern: unknown, path: string): Filter {
  if (!isNode(pattern)) {
    throw new Error(`a filter pattern must be an object${path && `, at ${path}`}`);
  }
  const fields = Object.entries(pattern).map(([name, part]) => {
    const fits = compileField(name, part, `${path}${path && '.'}${name}`);
    return (record: unknown) => fits(isNode(record) ? record[name] : undefined);
  });
  return (record) => fields.every((fits) => fits(record));
}

function compileField(name: string, part: unknown, path: string): Filter {
  if (name.startsWith('$')) {
    throw new Error(`a filter has a rule not known here: ${name} at ${path}`);
  }
  if (!Array.isArray(part)) {
    return compileNode(part, path);
  }
  const rules = part.map((rule) => compileRule(rule, path));
  return (value) => rules.some((fits) => fits(value));
}

function compileRule(rule: unknown, path: string): Rule {
  if (!isNode(rule)) {
    return (value) => candidates(value).includes(rule);
  }
  const [[name, operand] = [], ...others] = Object.entries(rule);
  if (others.length === 0 && name === 'exists' && typeof operand === 'boolean') {
    // Of a leaf only: an object below counts as not there, as in AWS.
    return (value) => (value !== undefined && !isNode(value)) === operand;
  }
  if (others.length === 0 && name === 'prefix' && typeof operand === 'string') {
    return (value) => candidates(value).some((one) => isText(one) && one.startsWith(operand));
  }
  if (others.length === 0 && name === 'anything-but' && !isNode(operand)) {
    const unwanted = new Set([operand].flat());
    return (value) => value !== undefined && !candidates(value).some((one) => unwanted.has(one));
  }
  throw new Error(`a filter has a rule not known here: ${JSON.stringify(rule)} at ${path}`);
}

/** A list fits if one of its members does. */
const candidates = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

const isText = (value: unknown): value is string => typeof value === 'string';

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
