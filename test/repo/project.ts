/** Where the project is and what its files are; every repo test reads it through these. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const projectDirectory = resolve(import.meta.dirname, '../..');

export const readProjectFile = (path: string) => readFileSync(join(projectDirectory, path), 'utf8');

/**
 * Every file that git would commit and that matches one of the glob patterns (all without any),
 * relative to the project.
 */
export const listProjectFiles = (...patterns: string[]) =>
  execFileSync(
    'git',
    [
      '--glob-pathspecs',
      'ls-files',
      '-z',
      '--cached',
      '--others',
      '--exclude-standard',
      ...patterns,
    ],
    { cwd: projectDirectory, encoding: 'utf8' },
  )
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(projectDirectory, path)))
    .toSorted();
