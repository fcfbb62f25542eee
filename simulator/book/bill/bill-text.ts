/** Writes a trade bill as WeChat sends it: no quotes, a backtick before each value, CRLF, two lines of sums at the end. */
import { type BillLayout, type BillType, listColumns, listSums } from './bill-layout.ts';
import { type BillRow, EMPTY_ROW } from './bill-rows.ts';

export interface BillForm {
  readonly type: BillType;
  readonly layout: BillLayout;
  /** Begins with the byte order mark of UTF-8. */
  readonly bom: boolean;
}

/** What can be wrong with a file as a whole. */
export interface BillDamage {
  /** Ends in the middle of its last row. */
  readonly truncate?: boolean;
  /** One fen more is said to have been paid than the rows add up to. */
  readonly wrongSum?: boolean;
}

const LINE_END = '\r\n';

const writeLine = (cells: readonly string[]) => cells.map((cell) => `\`${cell}`).join(',');

export function writeBill(
  rows: readonly BillRow[],
  { type, layout, bom }: BillForm,
  { truncate, wrongSum }: BillDamage = {},
): Buffer {
  const columns = listColumns(type, layout);
  const sums = listSums(layout);
  const lines = rows.map((row) => writeLine(columns.map(([, cell]) => cell(row))));
  const summed = wrongSum ? [...rows, { ...EMPTY_ROW, settledFen: 1, orderedFen: 1 }] : rows;
  const values = sums.map(([, write]) => write(summed));
  // The count stays right: only the money is not.
  const counted = [rows.length.toString(), ...values.slice(1)];
  const text = [
    columns.map(([heading]) => heading).join(','),
    ...lines,
    sums.map(([heading]) => heading).join(','),
    writeLine(counted),
    '',
  ].join(LINE_END);
  const whole = (bom ? '\uFEFF' : '') + text;
  return Buffer.from(truncate ? cutInLastRow(whole, lines.at(-1) ?? '') : whole);
}

function cutInLastRow(text: string, lastRow: string): string {
  const at = text.lastIndexOf(`${lastRow}${LINE_END}`);
  return text.slice(0, at + Math.floor(lastRow.length / 2));
}
