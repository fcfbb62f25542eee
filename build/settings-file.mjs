/**
 * The settings of a stage: `params.<stage>.yml`, the owner's own file. It lies beside serverless.yml,
 * or where `SETTINGS_DIRECTORY` says.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

/** Only for the deployment at hand: in a file they would hold for every other one. */
const FOR_ONCE = ['allowChanges'];

/** Where the file of a stage is, whether or not there is one. */
export const settingsPath = (projectDirectory, stage, environment = process.env) =>
  join(resolve(projectDirectory, environment.SETTINGS_DIRECTORY ?? '.'), `params.${stage}.yml`);

/** What the file says, by parameter; nothing without a file. Throws, naming the file, if it is none. */
export function readSettings(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') {
      return {};
    }
    throw new Error(`${path} cannot be read: ${error.message}`, { cause: error });
  }
  let settings;
  try {
    settings = parse(text) ?? {};
  } catch (error) {
    throw new Error(`${path} is not YAML: ${error.message}`, { cause: error });
  }
  if (typeof settings !== 'object' || Array.isArray(settings)) {
    throw new Error(`${path} holds no parameters: one "name: value" in a line`);
  }
  const once = FOR_ONCE.filter((name) => Object.hasOwn(settings, name));
  if (once.length > 0) {
    throw new Error(`${path}: ${once.join(', ')} is for the command line only`);
  }
  return settings;
}
