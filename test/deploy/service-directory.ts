/** A place to run `serverless` in, of the caller's own. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDirectory } from '../repo/project.ts';

/** Used from where they are. */
const LINKED = ['node_modules', '.build'];
/** What has no part in a deployment. */
const LEFT_OUT = new Set([
  ...LINKED,
  '.git',
  '.serverless',
  '.local',
  'docs',
  'local',
  'miniprogram',
  'simulator',
  'test',
]);

/**
 * The service in `directory`, without the project's `.serverless`: `serverless` writes there first,
 * whatever it is told, so that two runs in one directory take away each other's templates. With
 * `isBuilt` it takes the zips that are in `.build`, in place of making the same ones again.
 */
export function copyService(directory: string, { isBuilt = false } = {}): string {
  const service = join(directory, 'service');
  mkdirSync(join(projectDirectory, '.build'), { recursive: true });
  const copied = readdirSync(projectDirectory).filter((name) => !LEFT_OUT.has(name));
  for (const name of copied) {
    cpSync(join(projectDirectory, name), join(service, name), { recursive: true });
  }
  for (const name of LINKED) {
    symlinkSync(join(projectDirectory, name), join(service, name));
  }
  if (isBuilt) {
    const path = join(service, 'package.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    manifest.scripts.build = 'node --version';
    writeFileSync(path, JSON.stringify(manifest));
  }
  return service;
}
