/** The page's own files. TypeScript is served with its types blanked out: there is no build step. */
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import type { Answer } from '../host/http.ts';

const ROOT = new URL('browser/', import.meta.url);
/** Flat, or one directory deep; no dots but the one before the ending. */
const FILE = /^\/page\/((?:[a-z0-9-]+\/)?[a-z0-9-]+\.(html|css|ts|svg))$/;

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  ts: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Undefined when there is no such file. Read anew each time, so that an edit shows on reload. */
export async function readPageFile(path: string): Promise<Answer | undefined> {
  const [, name, ending = ''] = FILE.exec(path) ?? [];
  const type = TYPES[ending];
  if (name === undefined || type === undefined) {
    return undefined;
  }
  const text = await readFile(new URL(name, ROOT), 'utf8').catch(() => undefined);
  return text === undefined
    ? undefined
    : {
        status: 200,
        headers: { 'Content-Type': type },
        body: ending === 'ts' ? stripTypeScriptTypes(text) : text,
      };
}
