/** Where the functions' own lines go: all of them to a file, warnings, errors and what reconcile did in short to the terminal. */
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import type { OutputSink } from '../aws/function-output.ts';

const LOUD_LEVELS = new Set(['WARN', 'ERROR', 'CRITICAL']);
const MAX_LENGTH = 300;
/** Of a run of reconcile; the main ones are shown also when they are 0. */
const RUN_COUNTS = [
  'due',
  'paid',
  'closed',
  'stillOpen',
  'settledMeanwhile',
  'mismatched',
  'failed',
];
const MAIN_COUNTS = new Set(['due', 'paid', 'closed']);

export interface FunctionLog {
  readonly sink: OutputSink;
  close(): void;
}

/** The log of this start; the one of the start before is kept beside it as `<file>.1`. */
export function openFunctionLog(
  file: string | undefined,
  print: (line: string) => void,
): FunctionLog {
  if (file !== undefined && existsSync(file)) {
    renameSync(file, `${file}.1`);
  }
  let descriptor = file === undefined ? undefined : openSync(file, 'a');
  return {
    sink: (functionName, line) => {
      // Written at once, so that the last lines before a kill are there.
      if (descriptor !== undefined) {
        writeSync(descriptor, `${line}\n`);
      }
      const summary = summarise(functionName, line);
      if (summary !== undefined) {
        print(summary);
      }
    },
    close: () => {
      if (descriptor !== undefined) {
        closeSync(descriptor);
      }
      descriptor = undefined;
    },
  };
}

/** One short line for what somebody should see; undefined for what can stay in the file. */
function summarise(functionName: string, line: string): string | undefined {
  const entry = parseEntry(line);
  if (entry.message === 'reconciled' && typeof entry.due === 'number') {
    return summariseRun(entry);
  }
  if (typeof entry.level !== 'string' || !LOUD_LEVELS.has(entry.level)) {
    return undefined;
  }
  const code = entry.code ?? entry.error;
  const saysCode = typeof entry.reason === 'string' && entry.reason.startsWith(String(code));
  const details = [
    entry.message,
    saysCode ? undefined : code,
    entry.reason,
    code === 'CONFIG_ERROR' ? entry.cause : undefined,
    entry.requestId,
  ];
  const texts = details.filter((detail) => typeof detail === 'string');
  return [entry.level.padEnd(5), functionName, ...texts].join('  ').slice(0, MAX_LENGTH);
}

/** `RECON  due 1  paid 1  closed 0`; undefined for a run that found nothing to do. */
function summariseRun(entry: Record<string, unknown>): string | undefined {
  const counts = RUN_COUNTS.filter((name) => MAIN_COUNTS.has(name) || Number(entry[name]) > 0);
  return Number(entry.due) > 0
    ? ['RECON', ...counts.map((name) => `${name} ${String(entry[name])}`)].join('  ')
    : undefined;
}

function parseEntry(line: string): Record<string, unknown> {
  if (!line.startsWith('{')) {
    return {};
  }
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}
