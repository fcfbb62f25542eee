/** Where the functions' own lines go: all of them to a file, warnings and errors in short to the terminal. */
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import type { OutputSink } from './function-output.ts';

const LOUD_LEVELS = new Set(['WARN', 'ERROR', 'CRITICAL']);

export type FunctionLog = { readonly sink: OutputSink; close(): void };

/** The log of this start; the one of the start before is kept beside it as `<file>.1`. */
export function openFunctionLog(
  file: string | undefined,
  print: (line: string) => void,
): FunctionLog {
  if (file !== undefined && existsSync(file)) renameSync(file, `${file}.1`);
  let descriptor = file === undefined ? undefined : openSync(file, 'a');
  return {
    sink: (functionName, line) => {
      // Written at once, so that the last lines before a kill are there.
      if (descriptor !== undefined) writeSync(descriptor, `${line}\n`);
      const summary = summarise(functionName, line);
      if (summary !== undefined) print(summary);
    },
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** One short line for what somebody should see; undefined for what can stay in the file. */
function summarise(functionName: string, line: string): string | undefined {
  const entry = parseEntry(line);
  if (typeof entry.level !== 'string' || !LOUD_LEVELS.has(entry.level)) return undefined;
  const details = [entry.message, entry.code ?? entry.error, entry.reason, entry.requestId];
  const texts = details.filter((detail) => typeof detail === 'string');
  const parts = [entry.level.padEnd(5), functionName, ...texts];
  return parts.join('  ').slice(0, 200);
}

function parseEntry(line: string): Record<string, unknown> {
  if (!line.startsWith('{')) return {};
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}
