/** Where the project is and what its files are; every repo test reads it through these. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const projectDirectory = resolve(import.meta.dirname, '../..');

export const readProjectFile = (path: string) => readFileSync(join(projectDirectory, path), 'utf8');

/** Every file that git would commit, relative to the project, as `git status` sees it now. */
export const listProjectFiles = (...patterns: string[]) =>
  execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...patterns],
    {
      cwd: projectDirectory,
      encoding: 'utf8',
    },
  )
    .split('\0')
    .filter((path) => path !== '')
    .toSorted();
