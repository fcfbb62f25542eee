/** What a command found, for people and for programs. */
import Table from 'cli-table3';

export interface Result {
  /** Whether all is as it should be: exit code 0, else 1. */
  readonly isGood: boolean;
  /** For programs: what `--json` prints. */
  readonly data: object;
  /** For people. */
  readonly lines: readonly string[];
}

/** Rows under their headings; cells that are not there stay empty. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  const made = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  made.push(...rows.map((row) => row.map((cell) => cell ?? '')));
  return made.toString();
}
