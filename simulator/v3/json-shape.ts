/** Checks the JSON of a v3 request against what is documented, with WeChat's texts. */
import { failV3, type V3Failure } from './errors.ts';

type Json = Readonly<Record<string, unknown>>;

export type Shape = { readonly label: string; readonly required?: boolean } & (
  | {
      readonly type: 'string';
      readonly max: number;
      readonly min?: number;
      readonly pattern?: RegExp;
    }
  | { readonly type: 'integer'; readonly min: number; readonly max?: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'object'; readonly fields: Readonly<Record<string, Shape>> }
  | { readonly type: 'array'; readonly min: number; readonly max: number; readonly item: Shape }
);

type ObjectShape = Extract<Shape, { type: 'object' }>;

const TYPE_NAMES = {
  string: '字符串',
  integer: '整数',
  boolean: '布尔值',
  object: '对象',
  array: '数组',
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `path` begins with the place: `/body/amount/total`, `/query/mchid`. */
function refuse(path: string, value: unknown, text: string, issue: string) {
  const [, location = '', ...names] = path.split('/');
  const field = location === 'body' ? `/${names.join('/')}` : names.join('/');
  const detail = { field, issue, location, value };
  return failV3('PARAM_ERROR', { text, detail, note: `${path}: ${issue}` });
}

/** A whole body: the first fault in WeChat's order (unknown fields, types, then the rules of each field). */
export function checkJson(
  value: unknown,
  shape: ObjectShape,
  root: '/body' | '/query' = '/body',
): V3Failure | undefined {
  if (!isObject(value)) {
    return failV3('PARAM_ERROR', { text: '请求体不是合法的JSON对象', note: 'not a JSON object' });
  }
  const unknown = listUnknown(value, shape, root);
  if (unknown.length > 0) {
    return failV3('PARAM_ERROR', {
      text: '请求中含有未在API文档中定义的参数',
      internal: 270924358,
      detail: { location: null, value: unknown },
      note: `undefined fields: ${unknown.join(', ')}`,
    });
  }
  return checkValue(value, shape, root);
}

function listUnknown(value: unknown, shape: Shape, path: string): string[] {
  if (shape.type === 'array') {
    const items: unknown[] = Array.isArray(value) ? value : [];
    return items.flatMap((item, at) => listUnknown(item, shape.item, `${path}/${at}`));
  }
  if (shape.type !== 'object' || !isObject(value)) {
    return [];
  }
  return Object.entries(value).flatMap(([name, inner]) => {
    const known = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    return known ? listUnknown(inner, known, `${path}/${name}`) : [`${path}/${name}`];
  });
}

function checkValue(value: unknown, shape: Shape, path: string): V3Failure | undefined {
  const { label } = shape;
  const wrongType = (issue: string) =>
    refuse(
      path,
      value,
      `无法将输入源“${path}”映射到字段“${label}”中，此字段需要一个合法的${TYPE_NAMES[shape.type]}`,
      issue,
    );
  if (value === null) {
    return wrongType('null is not a value here: leave the field out');
  }
  switch (shape.type) {
    case 'string':
      return typeof value === 'string' ? checkText(value, shape, path) : wrongType('not a string');
    case 'integer':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
        return wrongType('not an integer');
      }
      return checkInteger(value, shape, path);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrongType('not a boolean');
    case 'object':
      return isObject(value) ? checkFields(value, shape, path) : wrongType('not an object');
    case 'array':
      return Array.isArray(value) ? checkItems(value, shape, path) : wrongType('not an array');
  }
}

function checkFields(value: Json, { fields }: ObjectShape, path: string): V3Failure | undefined {
  for (const [name, shape] of Object.entries(fields)) {
    const place = `${path}/${name}`;
    const inner = value[name];
    if (inner === undefined || (inner === '' && shape.required)) {
      if (shape.required) {
        const text = `输入源“${place}”映射到字段“${shape.label}”必填性规则校验失败，此字段为必填项`;
        return refuse(place, '', text, 'required');
      }
      continue;
    }
    const failure = checkValue(inner, shape, place);
    if (failure) {
      return failure;
    }
  }
  return undefined;
}

function checkItems(
  items: readonly unknown[],
  { label, min, max, item }: Extract<Shape, { type: 'array' }>,
  path: string,
): V3Failure | undefined {
  if (items.length < min || items.length > max) {
    const rule = items.length < min ? `小于最小值 ${min}` : `大于最大值 ${max}`;
    const text = `输入源“${path}”映射到值字段“${label}”数组规则校验失败，元素个数 ${items.length}，${rule}`;
    return refuse(path, items.length, text, `${items.length} items, from ${min} to ${max}`);
  }
  for (const [at, one] of items.entries()) {
    const failure = checkValue(one, item, `${path}/${at}`);
    if (failure) {
      return failure;
    }
  }
  return undefined;
}

function checkInteger(
  value: number,
  { label, min, max = Number.MAX_SAFE_INTEGER }: Extract<Shape, { type: 'integer' }>,
  path: string,
): V3Failure | undefined {
  if (value >= min && value <= max) {
    return undefined;
  }
  const rule = value < min ? `小于最小值 ${min}` : `大于最大值 ${max}`;
  const text = `输入源“${path}”映射到值字段“${label}”数字规则校验失败，值 ${value}，${rule}`;
  return refuse(path, value, text, `from ${min} to ${max}`);
}

/** Lengths count characters; what takes 4 bytes in UTF-8 (emoji) is refused everywhere. */
function checkText(
  value: string,
  { label, min = 0, max, pattern }: Extract<Shape, { type: 'string' }>,
  path: string,
): V3Failure | undefined {
  const begin = `输入源“${path}”映射到值字段“${label}”字符串规则校验失败，`;
  const characters = [...value].length;
  if ([...value].some((character) => character.length > 1) || /\p{Surrogate}/u.test(value)) {
    const issue = 'a character of 4 bytes in UTF-8 (an emoji, for example)';
    return refuse(path, value, `${begin}含有4字节的UTF-8字符`, issue);
  }
  if (characters < min || characters > max) {
    const rule = characters < min ? `小于最小值 ${min}` : `大于最大值 ${max}`;
    const issue = `${characters} characters, from ${min} to ${max}`;
    return refuse(path, value, `${begin}字符数 ${characters}，${rule}`, issue);
  }
  return pattern === undefined || value === '' || pattern.test(value)
    ? undefined
    : refuse(path, value, `${begin}不符合格式要求`, `does not match ${pattern.source}`);
}
