/** Needs cfn-lint and an emulated AWS: `.ci/cloudformation` brings both and runs this. */
import { defineConfig } from 'vitest/config';
import './build/require-node.mjs';
import { keepLoopbackDirect } from './local/loopback.ts';

keepLoopbackDirect();

export default defineConfig({
  test: {
    include: ['test/cloudformation/**/*.test.ts'],
    pool: 'forks',
    // One account, and packaging keeps a processor busy by itself.
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: process.env['CI'] ? ['default', 'json'] : ['default'],
    outputFile: { json: '.build/cloudformation-test-results.json' },
  },
});
