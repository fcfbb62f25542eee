import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { copyService } from '../deploy/service-directory.ts';
import { projectDirectory } from './project.ts';

const home = mkdtempSync(join(tmpdir(), 'wechatpay-deploy-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('a deployment without credentials gets as far as asking for them', async () => {
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [join(projectDirectory, 'node_modules/serverless/bin/serverless.js'), 'deploy'],
      {
        cwd: copyService(home),
        // No profile, no variables, no metadata service: nothing to deploy with.
        env: {
          PATH: process.env['PATH'],
          HOME: home,
          AWS_EC2_METADATA_DISABLED: 'true',
          AWS_REGION: 'ap-southeast-1',
          SETTINGS_DIRECTORY: home,
        },
        timeout: 100_000,
      },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });

  expect(output).toContain('AWS provider credentials not found');
}, 120_000);
