/**
 * The cells of a row. Every value begins with a backtick, but in older bills not each; nothing is
 * quoted, though names of products may have commas, backticks and line feeds in them. So no reader
 * of CSV fits: what makes a row whole is that its cells are of the kinds that its columns have.
 */
import type { Columns } from './columns.ts';
import { type BillRow, readRow } from './row.ts';

/**
 * The row in a text, which may be several lines; nothing while it is not whole.
 *
 * @param line where it begins.
 */
export function parseRow(text: string, columns: Columns, line: number): BillRow | undefined {
  const body = text.startsWith('`') ? text.slice(1) : text;
  return (
    fit(body.split(',`'), columns, line) ??
    // Without its backtick a cell hangs on the one before.
    fit(body.split(/,`?/), columns, line)
  );
}

/** The same number of cells; or more, when those too many are in the merchant's own texts. */
function fit(cells: readonly string[], columns: Columns, line: number): BillRow | undefined {
  const surplus = cells.length - columns.count;
  if (surplus <= 0) {
    return surplus === 0 ? readRow(cells, columns, line) : undefined;
  }
  const { productName, attach } = columns.at;
  const first = productName ?? attach;
  if (first === undefined) {
    return undefined;
  }
  // Which of the two texts a separator belongs to does not matter: neither is compared.
  const ours = [...cells.slice(0, first), '', ...cells.slice(first + surplus + 1)];
  return readRow(ours, columns, line);
}
