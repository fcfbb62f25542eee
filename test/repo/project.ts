/** Where the project is and what its files are; every repo test reads it through these. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, matchesGlob, resolve } from 'node:path';

export const projectDirectory = resolve(import.meta.dirname, '../..');

export const readProjectFile = (path: string) => readFileSync(join(projectDirectory, path), 'utf8');

/**
 * Every file that git would commit and that matches one of the glob patterns (all without any),
 * relative to the project, with `/`. In a copy without git, from a ZIP file, `.gitignore` decides.
 */
export const listProjectFiles = (...patterns: string[]) =>
  (existsSync(join(projectDirectory, '.git')) ? askGit() : walk(projectDirectory))
    .filter((path) => patterns.length === 0 || patterns.some((glob) => matchesGlob(path, glob)))
    .toSorted();

const askGit = () =>
  execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: projectDirectory,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(projectDirectory, path)));

/** Every file below a directory that its `.gitignore` does not name, relative to it. */
export function walk(root: string): string[] {
  const ignored = readFileSync(join(root, '.gitignore'), 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'));
  // As git has it: the last line that matches decides, and one with ! takes back.
  const isIgnored = (path: string, isDirectory: boolean) =>
    ignored
      .findLast((line) => matchesIgnoreLine(line.replace(/^!/, ''), path, isDirectory))
      ?.startsWith('!') === false;
  const list = (directory: string): string[] =>
    readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (path === '.git' || isIgnored(path, entry.isDirectory())) {
        return [];
      }
      return entry.isDirectory() ? list(path) : [path];
    });
  return list('');
}

/** A line of `.gitignore`: a name anywhere or, with a slash inside it, a path; at its end a directory. */
function matchesIgnoreLine(line: string, path: string, isDirectory: boolean): boolean {
  const pattern = line.replace(/\/$/, '').replace(/^\//, '');
  if (line.endsWith('/') && !isDirectory) {
    return false;
  }
  return line.replace(/\/$/, '').includes('/')
    ? matchesGlob(path, pattern)
    : matchesGlob(path.split('/').at(-1) ?? '', pattern);
}
