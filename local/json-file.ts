/** JSON files that survive a kill: a reader sees the old content or the new, never half of it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileError, onFile } from './file-error.ts';

/** Windows refuses to replace a file while somebody reads it: a virus scanner, or the simulator. */
const REPLACE_ATTEMPTS = 20;
const REPLACE_PAUSE_MS = 25;
/** How a data directory is begun anew: the end of a message about one of its files. */
export const START_FRESH =
  'or begin anew with npm start -- --fresh, which forgets orders, products and keys';

/** The parsed content, or undefined when there is no such file; throws on damaged JSON. */
export function readJsonFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw fileError(file, error as NodeJS.ErrnoException);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not valid JSON: mend it, ${START_FRESH}`, { cause: error });
  }
}

/** Writes beside the file, then renames over it; only its owner may read it. */
export function writeJsonFile(file: string, content: unknown): void {
  onFile(file, () => {
    mkdirSync(path.dirname(file), { recursive: true });
    const draft = `${file}.new`;
    writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    replaceFile(draft, file);
  });
}

function replaceFile(draft: string, file: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameSync(draft, file);
      return;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      const isHeld = process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(code);
      if (!isHeld || attempt === REPLACE_ATTEMPTS) {
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REPLACE_PAUSE_MS);
    }
  }
}
