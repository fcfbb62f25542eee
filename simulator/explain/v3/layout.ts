/** Mistakes in how the lines of a v3 string-to-sign are put together. */
import { type DraftGuess, draftGuess, listOrders } from './draft.ts';

/** Line ends and the order of lines; the number of lines is the caller's. */
export function guessLayout(lines: readonly string[]): DraftGuess[] {
  const orders = listOrders(lines).map((order) =>
    draftGuess('order', [
      'LINES_IN_OTHER_ORDER',
      `the lines were signed in another order (${order.map((at) => at + 1).join(', ')})`,
      `签名串各行顺序错误（实际为第 ${order.map((at) => at + 1).join('、')} 行）`,
    ])((draft) => ({ ...draft, lines: order.map((at) => draft.lines[at] ?? '') })),
  );
  return [
    draftGuess('end', [
      'LAST_NEWLINE_MISSING',
      'the line feed after the last line is missing; each line ends with one, the last and an empty body too',
      '最后一行末尾缺少换行符；每一行（包括空报文主体）都以换行符结尾',
    ])((draft) => ({ ...draft, end: '' })),
    draftGuess('end', [
      'LAST_NEWLINE_TWICE',
      'there is one line feed too many at the end',
      '末尾多了一个换行符',
    ])((draft) => ({ ...draft, end: '\n\n' })),
    draftGuess('end', [
      'CRLF',
      'lines end with CR LF; they must end with LF',
      '换行用了 \\r\\n；应为 \\n',
    ])((draft) => ({ ...draft, separator: '\r\n', end: '\r\n' })),
    draftGuess('end', [
      'NEWLINE_ESCAPED',
      'the two characters \\n were signed instead of a line feed',
      '把 \\n 两个字符当作换行符参与了签名',
    ])((draft) => ({ ...draft, separator: '\\n', end: '\\n' })),
    ...orders,
  ];
}
