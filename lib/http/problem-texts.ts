/** What can be wrong with a field or a quote, in the two languages of the product. */
import { type ErrorParameters, fillIn } from '../errors.ts';

export type Language = 'en' | 'zh-CN';

/**
 * What can be wrong with a field or a quote: the parameter `problem`, in English, and the Chinese
 * for it. Whatever else a problem names (`{max}`) stands beside it among the error's parameters.
 */
export const PROBLEMS_IN_CHINESE = {
  missing: '缺少',
  'unknown field': '未知字段',
  'expected a string': '类型应为字符串',
  'expected a list': '类型应为数组',
  'expected an object': '类型应为对象',
  'not one of the allowed values': '取值不在允许范围内',
  'at least 1 item': '至少 1 项',
  'at most {max} items': '最多 {max} 项',
  empty: '不能为空',
  'longer than {max} characters': '超过 {max} 个字符',
  'expected 1 to 64 characters without control characters': '应为 1 到 64 个字符，不含控制字符',
  'the body must be a JSON object': '请求体应为 JSON 对象',
  'expected a JSON object with exactly one of items, quote, outTradeNo':
    '应为只含 items、quote、outTradeNo 之一的 JSON 对象',
  '6 to 32 letters, digits, _ or -': '应为 6 到 32 个字母、数字、_ 或 -',
  '1 to 32 letters, digits, _ or -': '应为 1 到 32 个字母、数字、_ 或 -',
  '1 to 64 letters, digits, _ - | * or @': '应为 1 到 64 个字母、数字或 _ - | * @',
  'the order was made with API v2, whose refunds take no goods':
    '该订单由 v2 接口创建，其退款不支持商品明细',
  'an empty list': '列表不能为空',
  '6 digits': '应为 6 位数字',
  '12 to 32 digits': '应为 12 到 32 位数字',
  'whole seconds from 360 to 604800': '应为 360 到 604800 之间的整数秒',
  'empty, or with blanks at its ends, which some signers trim': '不能为空，首尾不能有空白字符',
  'emoji and control characters are not allowed': '不能含有表情符号或控制字符',
  '{sku} has a fixed price': '商品 {sku} 是固定价格',
  'the product {sku} is virtual': '商品 {sku} 是虚拟商品',
  'the quote is for virtual goods': '报价的内容是虚拟商品',
  'this shop does not accept quotes (no quoteKey)': '本店不接受报价（未配置 quoteKey）',
  'its signature does not match quoteKey (the key is the text of quoteKey itself, not decoded from hex or Base64)':
    '签名与 quoteKey 不匹配（密钥就是 quoteKey 的文本本身，不要先做十六进制或 Base64 解码）',
  'it must be signed with HS256': '必须使用 HS256 签名',
  'it is not a signed JWT': '不是已签名的 JWT',
  'exp is too far ahead: it is in seconds, not milliseconds': 'exp 距现在太远：单位是秒，不是毫秒',
  'claim {claim} is missing': '缺少字段 {claim}',
  'claim {claim} is unknown': '未知字段 {claim}',
  'claim {claim} has a wrong type or value': '字段 {claim} 的类型或取值有误',
  'claim {claim} does not hold': '字段 {claim} 校验不通过',
} as const satisfies Readonly<Record<string, string>>;

export type Problem = keyof typeof PROBLEMS_IN_CHINESE;

const isKnown = (problem: string): problem is Problem =>
  Object.hasOwn(PROBLEMS_IN_CHINESE, problem);

/** A problem in one language, with its parameters filled in. */
export function problemText(
  problem: string,
  language: Language,
  parameters: ErrorParameters,
): string {
  if (!isKnown(problem)) {
    return language === 'zh-CN' ? '不符合要求' : problem;
  }
  return fillIn(language === 'zh-CN' ? PROBLEMS_IN_CHINESE[problem] : problem, parameters);
}
