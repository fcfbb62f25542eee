/**
 * Loaded before everything else (`node --import`), in JavaScript that any Node can read: a Node that
 * cannot run TypeScript would end with its own error, and Node 22 would start and then fail at every
 * request.
 */
import { existsSync } from 'node:fs';

const LEAST_MAJOR = 24;
const LEAST_MINOR = 2;

/**
 * What is wrong with this Node or this copy of the project and what to do about it, in one sentence;
 * undefined when nothing is.
 *
 * @param {string} version
 * @param {boolean} installed
 * @returns {string | undefined}
 */
export function findProblem(version, installed) {
  if (!installed) {
    return 'The packages of this project are not installed: run "npm ci" first.';
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > LEAST_MAJOR || (major === LEAST_MAJOR && minor >= LEAST_MINOR)) {
    return undefined;
  }
  return `This is Node.js ${version} and the project needs ${LEAST_MAJOR}.${LEAST_MINOR} or later: run "npm rebuild node --ignore-scripts=false", which installs the project's own, and then the same command again.`;
}

const problem = findProblem(
  process.versions.node,
  existsSync(new URL('../node_modules', import.meta.url)),
);
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
