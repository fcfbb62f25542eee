/** Reads a trade bill (交易账单) from its first line to its sums. */
import { parseRow } from './cells.ts';
import {
  type Columns,
  isSummaryHeading,
  readColumns,
  readSummaryHeading,
  type Sums,
} from './columns.ts';
import { milliFenOf } from './money.ts';
import type { BillRow } from './row.ts';

/** What a bill says of its day as a whole. */
export interface BillTotals {
  readonly payments: { readonly count: number; readonly totalFen: number };
  readonly refunds: { readonly count: number; readonly totalFen: number };
  /** Thousandths of a fen. */
  readonly feeMilliFen: number;
  /** Every rate that payments were charged by, in millionths, the lowest first. */
  readonly rates: readonly number[];
}

/** The bill is not one, or not whole: nothing of it counts. The text is for people. */
export class BillRefusedError extends Error {}

/** A product's name of many lines is one thing, a file without an end another. */
const MAX_ROW_LENGTH = 64 * 1024;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Takes the lines of a bill one by one. */
interface LineReader {
  /** The row that ends with this line, if one does. */
  readonly take: (line: string) => BillRow | undefined;
  /** @throws {BillRefusedError} when the bill is not whole. */
  readonly end: () => BillTotals;
}

/** @throws {BillRefusedError} with the number of the line that is wrong. */
function openLineReader(): LineReader {
  let lineNumber = 0;
  let columns: Columns | undefined;
  let row = { text: '', line: 0 };
  let summary: ReturnType<typeof readSummaryHeading> | undefined;
  let isWhole = false;
  const totals = openTotals();
  const refuse = (reason: string): never => {
    throw new BillRefusedError(`line ${lineNumber}: ${reason}`);
  };
  const takeRow = (into: Columns, line: string): BillRow | undefined => {
    const isFirst = row.text === '';
    if (isFirst && !/^(`|\d{4}-\d{2}-\d{2} )/.test(line)) {
      refuse('it is no row');
    }
    row = isFirst ? { text: line, line: lineNumber } : { ...row, text: `${row.text}\n${line}` };
    if (row.text.length > MAX_ROW_LENGTH) {
      refuse(`the row that begins in line ${row.line} cannot be read`);
    }
    const parsed = parseRow(row.text, into, row.line);
    if (parsed) {
      row = { text: '', line: 0 };
      totals.add(parsed);
    }
    return parsed;
  };
  return {
    take(line) {
      lineNumber += 1;
      if (line.trim() === '' && row.text === '') {
        return undefined;
      }
      if (!columns) {
        const found = readColumns(line);
        columns = 'missing' in found ? refuse(`it has no ${found.missing.join(', ')}`) : found;
        return undefined;
      }
      if (isWhole) {
        return refuse('something stands after the sums');
      }
      if (summary) {
        isWhole = true;
        totals.assert(summary, line, refuse);
        return undefined;
      }
      if (isSummaryHeading(line)) {
        if (row.text !== '') {
          refuse(`the row that begins in line ${row.line} cannot be read`);
        }
        summary = readSummaryHeading(line);
        return undefined;
      }
      return takeRow(columns, line);
    },
    end() {
      if (!isWhole) {
        const where = row.text === '' ? '' : `: the row that begins in line ${row.line} has no end`;
        throw new BillRefusedError(`the bill ends in line ${lineNumber} without its sums${where}`);
      }
      return totals.all();
    },
  };
}

function openTotals() {
  const sums: Mutable<Sums> = {
    count: 0,
    settledFen: 0,
    settledRefundFen: 0,
    couponRefundFen: 0,
    feeMilliFen: 0,
    orderedFen: 0,
    requestedRefundFen: 0,
  };
  let [refunds, paidFen] = [0, 0];
  const rates = new Set<number>();
  return {
    add(row: BillRow) {
      sums.count += 1;
      sums.settledFen += row.settledFen;
      sums.settledRefundFen += row.settledRefundFen;
      sums.couponRefundFen += row.couponRefundFen;
      sums.feeMilliFen += row.feeMilliFen;
      sums.orderedFen += row.orderedFen;
      sums.requestedRefundFen += row.requestedRefundFen;
      refunds += row.kind === 'refund' ? 1 : 0;
      if (row.kind !== 'refund' && row.rateMillionths !== undefined) {
        rates.add(row.rateMillionths);
      }
      paidFen += row.kind === 'refund' ? 0 : row.orderedFen;
    },
    /** Every sum that the bill names has to be that of its rows: else it is not whole. */
    assert(
      summary: ReturnType<typeof readSummaryHeading>,
      line: string,
      refuse: (reason: string) => never,
    ) {
      const values = line.split(',').map((cell) => cell.trim().replace(/^`/, ''));
      if (values.length !== summary.length) {
        refuse('there are not as many sums as headings');
      }
      for (const [index, { heading, sum }] of summary.entries()) {
        const said = milliFenOf(String(values[index]));
        const unit = sum === 'feeMilliFen' ? 1 : sum === 'count' ? 100_000 : 1_000;
        if (said === undefined || (sum !== undefined && said !== sums[sum] * unit)) {
          refuse(`the rows do not add up to ${heading}`);
        }
      }
    },
    all: (): BillTotals => ({
      payments: { count: sums.count - refunds, totalFen: paidFen },
      refunds: { count: refunds, totalFen: sums.requestedRefundFen },
      feeMilliFen: sums.feeMilliFen,
      rates: [...rates].toSorted((one, other) => one - other),
    }),
  };
}

/**
 * Reads a bill piece by piece, in flat memory.
 *
 * @param onRow is given each row in turn; what it returns is waited for.
 * @throws {BillRefusedError} for a bill that is not one, or not whole: nothing of it counts, also not
 * the rows that were given before.
 */
export async function readTradeBill(
  bytes: AsyncIterable<Buffer>,
  onRow: (row: BillRow) => Promise<void> | undefined,
): Promise<BillTotals> {
  const reader = openLineReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  const takeLines = async (decoded: string) => {
    const text = rest + decoded;
    const end = text.lastIndexOf('\n');
    rest = text.slice(end + 1);
    for (const line of end < 0 ? [] : text.slice(0, end).split('\n')) {
      const row = reader.take(line.endsWith('\r') ? line.slice(0, -1) : line);
      const handled = row && onRow(row);
      if (handled) {
        await handled;
      }
    }
    if (rest.length > MAX_ROW_LENGTH) {
      throw new BillRefusedError('a line has no end');
    }
  };
  for await (const chunk of bytes) {
    await takeLines(decode(() => decoder.decode(chunk, { stream: true })));
  }
  await takeLines(`${decode(() => decoder.decode())}\n`);
  return reader.end();
}

function decode(run: () => string): string {
  try {
    return run();
  } catch {
    throw new BillRefusedError('the bill is not UTF-8');
  }
}
