import { spawnSync } from 'node:child_process';

/**
 * Builds the zips before `serverless package`, `deploy` and `deploy function` look for them. The
 * bundler runs as a script of its own because it is TypeScript and needs the project's Node, while
 * Serverless runs under whatever Node the machine has.
 */
export default class BundlePlugin {
  #serverless;

  constructor(serverless) {
    this.#serverless = serverless;
    this.hooks = {
      'before:package:initialize': () => this.#bundle(),
      'before:deploy:function:packageFunction': () => this.#bundle(),
    };
  }

  #bundle() {
    const { classes, service, serviceDir } = this.#serverless;
    if (service.provider.stage === 'local') {
      throw new classes.Error(
        'The stage "local" trusts hosts other than WeChat\'s and is never deployed. Choose another.',
      );
    }
    const { status, error } = spawnSync('npm', ['run', '--silent', 'build'], {
      cwd: serviceDir,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    if (status !== 0) {
      throw new classes.Error(`npm run build failed: ${error?.message ?? `exit code ${status}`}`);
    }
  }
}
