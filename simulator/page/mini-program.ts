/**
 * The mini-program of `miniprogram/` as one script for the browser: every CommonJS module as it is,
 * inside a function, and every other file as text. WeChat's own tools pack it the same way.
 */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer } from '../host/http.ts';

const ROOT = fileURLToPath(new URL('../../miniprogram', import.meta.url));
const TEXT_FILES = new Set(['.json', '.wxml', '.wxss']);
const MODULES = new Set(['.js', '.wxs']);
const IMAGE_TYPES: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.svg': 'image/svg+xml',
};

/** Registers with `miniProgramFiles`, which the phone's runtime defines before it loads this. */
export async function bundleMiniProgram(): Promise<Answer> {
  const paths = await listFiles(ROOT);
  const parts = await Promise.all(paths.map(wrapFile));
  return {
    status: 200,
    headers: { 'Content-Type': 'text/javascript; charset=utf-8' },
    body: `'use strict';\n${parts.join('')}`,
  };
}

async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function wrapFile(file: string): Promise<string> {
  const name = JSON.stringify(relative(ROOT, file).split(sep).join('/'));
  const ending = extname(file);
  const imageType = IMAGE_TYPES[ending];
  if (imageType !== undefined) {
    const content = await readFile(file, 'base64');
    return `miniProgramFiles.text[${name}] = 'data:${imageType};base64,${content}';\n`;
  }
  if (TEXT_FILES.has(ending)) {
    const content = JSON.stringify(await readFile(file, 'utf8'));
    return `miniProgramFiles.text[${name}] = ${content};\n`;
  }
  if (!MODULES.has(ending)) {
    return '';
  }
  // On one line with the wrapper, so that line numbers are those of the file.
  const source = await readFile(file, 'utf8');
  return `miniProgramFiles.modules[${name}] = (require, module, exports) => {${source}\n};\n`;
}
