/** One stage's CloudFormation template, as `serverless package` writes it, and how to read it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  evaluate,
  type Json,
  packageService,
  type Resource,
  SINGAPORE,
  type Template,
} from './cloudformation.ts';

/** Names of the deployed functions. */
export const FUNCTIONS = [
  'login',
  'prepay',
  'notify',
  'query',
  'close',
  'refund',
  'reconcile',
  'publish',
  'bill',
];

export type Packaged = Awaited<ReturnType<typeof packageProduction>>;

/** Packages the stage `production` into a directory of its own, which `remove` takes away. */
export async function packageProduction() {
  const directory = mkdtempSync(join(tmpdir(), 'template-'));
  return { directory, ...readPackaged(await packageService(directory, 'production')), remove };

  function remove(): void {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The parts of a template that tests ask for. */
function readPackaged(template: Template) {
  const ofType = (type: string) =>
    Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
  const resource = (logicalId: string): Resource => {
    const found = template.Resources[logicalId];
    if (found === undefined) {
      throw new Error(`the template has no ${logicalId}`);
    }
    return found;
  };
  const functionProperties = (name: string) =>
    resource(`${logicalIdOf(name)}LambdaFunction`).Properties;
  const environmentOf = (name: string, place = SINGAPORE) => {
    const { Variables } = functionProperties(name)['Environment'] as { Variables: Json };
    return evaluate(template, place, Variables) as Record<string, string>;
  };
  return { template, ofType, resource, functionProperties, environmentOf };
}

/** `login` is `Login` in the names that the framework gives. */
export const logicalIdOf = (name: string) => `${name[0]?.toUpperCase()}${name.slice(1)}`;
