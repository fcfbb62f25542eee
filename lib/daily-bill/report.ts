/** What does not agree on a day as a table for a spreadsheet. */
import type { TableConnection } from '../table/client.ts';
import type { StoredDifference } from '../table/bill-difference-row.ts';
import { listDifferences } from '../table/bill-differences.ts';

const COLUMNS = [
  'kind',
  'state',
  'outTradeNo',
  'outRefundNo',
  'transactionId',
  'hereFen',
  'thereFen',
  'line',
  'wechat',
  'repair',
  'note',
  'sha1',
] as const satisfies readonly (keyof StoredDifference)[];

/** An answer of Lambda's has 6 MB at most, and its JSON is longer than the text. */
const MAX_LENGTH = 2_000_000;

/** UTF-8, which spreadsheets take for something else without it. */
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Every difference and repair of a day as CSV (RFC 4180), one a line, in the order of kinds and
 * numbers. A text begins with a backtick, as in WeChat's own bills: no spreadsheet takes it for a formula, nor a
 * long number for a rounded one.
 *
 * @throws {Error} when that is more than an answer can hold.
 */
export async function writeReport(table: TableConnection, date: string): Promise<string> {
  let text = `${BYTE_ORDER_MARK}date,${COLUMNS.join(',')}\r\n`;
  for await (const difference of listDifferences(table, date)) {
    const cells = COLUMNS.map((column) => cellOf(difference[column]));
    text += `${[cellOf(date), ...cells].join(',')}\r\n`;
    if (text.length > MAX_LENGTH) {
      throw new Error(`the report of ${date} is too long for one answer`);
    }
  }
  return text;
}

function cellOf(value: string | number | undefined): string {
  if (value === undefined || typeof value === 'number') {
    return value === undefined ? '' : String(value);
  }
  const marked = `\`${value}`;
  return /[",\r\n]/.test(marked) ? `"${marked.replaceAll('"', '""')}"` : marked;
}
