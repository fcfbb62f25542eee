/** JSON files that survive a kill: a reader sees the old content or the new, never half of it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileError, onFile } from './file-error.ts';

const START_FRESH =
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
    renameSync(draft, file);
  });
}
