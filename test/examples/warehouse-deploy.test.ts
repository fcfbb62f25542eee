/** The sample's own deployment, as its README says to make it. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandsOf } from '../repo/markdown.ts';
import { projectDirectory, readProjectFile } from '../repo/project.ts';

const directory = mkdtempSync(join(tmpdir(), 'warehouse-'));
const example = join(directory, 'examples/warehouse');
const run = promisify(execFile);

/** The words of a command of the README; a path in it is one of the clone's. */
const wordsOf = (program: string) =>
  (
    commandsOf(readProjectFile('examples/warehouse/README.md')).find((command) =>
      command.startsWith(`npx ${program} `),
    ) ?? ''
  )
    .split(' ')
    .slice(2)
    .map((word) => word.replaceAll("'", ''));

beforeAll(async () => {
  cpSync(join(projectDirectory, 'examples'), join(directory, 'examples'), { recursive: true });
  symlinkSync(join(projectDirectory, 'node_modules'), join(directory, 'node_modules'));
  // A program of the platform's, or a script: the folder of commands has either.
  const esbuild = join(projectDirectory, 'node_modules/.bin/esbuild');
  const shell = process.platform === 'win32';
  await run(esbuild, wordsOf('esbuild'), { cwd: directory, shell });
  const serverless = join(projectDirectory, 'node_modules/serverless/bin/serverless.js');
  const [, ...flags] = wordsOf('serverless');
  await run(process.execPath, [serverless, 'package', ...flags], {
    cwd: example,
    env: { PATH: process.env['PATH'], HOME: directory, AWS_EC2_METADATA_DISABLED: 'true' },
  });
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the sample', () => {
  test('is one file, which has the handler that the template names', async () => {
    const zip = unzipSync(readFileSync(join(example, '.serverless/warehouse.zip')));
    const built = pathToFileURL(join(example, '.build/hand-over.mjs')).href;

    expect(Object.keys(zip)).toEqual(['.build/hand-over.mjs']);
    expect(((await import(built)) as { handler: unknown }).handler).toBeTypeOf('function');
  });

  test('listens on the bus of its stage, through a queue that the function reads', () => {
    const file = join(example, '.serverless/cloudformation-template-update-stack.json');
    const { Resources } = JSON.parse(readFileSync(file, 'utf8')) as {
      Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
    };

    expect(Resources['Rule']?.Properties['EventBusName']).toBe('wechatpay-serverless-production');
    const mapping = Object.values(Resources).find(
      ({ Type }) => Type === 'AWS::Lambda::EventSourceMapping',
    );
    expect(mapping?.Properties).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': ['Events', 'Arn'] },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });
});
