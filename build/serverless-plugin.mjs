import { spawnSync } from 'node:child_process';

const oneOf =
  (...values) =>
  (value) =>
    values.includes(value)
      ? undefined
      : `must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;

const wholeBetween = (unit, min, max) => (value) =>
  /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max
    ? undefined
    : `must be whole ${unit} from ${min} to ${max}`;

/** What the functions would refuse at their start, each as lib/runtime/config.ts has it. */
const RULES = {
  apiVersion: oneOf('v2', 'v3'),
  signType: oneOf('HMAC-SHA256', 'MD5'),
  orderLifetimeSeconds: wholeBetween('seconds', 360, 604_800),
  sessionLifetimeSeconds: wholeBetween('seconds', 60, 604_800),
  eventArchiveDays: wholeBetween('days', 0, 3_650),
  notificationRetentionDays: wholeBetween('days', 1, 3_650),
  allowVirtualGoods: oneOf('true', 'false'),
  paymentAfterClose: oneOf('keep', 'refund'),
  logLevel: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR'),
  domainName: (value, { certificateArn }) =>
    value !== '' && !certificateArn ? 'needs certificateArn as well' : undefined,
};

/** Everything that is wrong with the parameters of a stage, one sentence each. */
function findProblems(declared, given) {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(declared, name));
  const values = { ...declared, ...given };
  return [
    ...unknown.map((name) => `There is no parameter "${name}".`),
    ...Object.entries(RULES).flatMap(([name, check]) => {
      const problem = check(String(values[name]), values);
      return problem === undefined ? [] : [`The parameter ${name} ${problem}.`];
    }),
    ...(unknown.length > 0 ? [`There are ${Object.keys(declared).join(', ')}.`] : []),
  ];
}

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
    this.#checkParameters();
    const { status, error } = spawnSync('npm', ['run', '--silent', 'build'], {
      cwd: serviceDir,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    if (status !== 0) {
      throw new classes.Error(`npm run build failed: ${error?.message ?? `exit code ${status}`}`);
    }
  }
  /** Serverless ignores a name that it does not know, so a misspelt setting would be silently off. */
  #checkParameters() {
    const { classes, configurationInput, processedInput, service } = this.#serverless;
    const { default: declared, [service.provider.stage]: ofStage } = configurationInput.params;
    const ofCommand = (processedInput.options.param ?? []).map((item) => {
      const [name, ...value] = item.split('=');
      return [name, value.join('=').trimEnd()];
    });
    const problems = findProblems(declared, { ...ofStage, ...Object.fromEntries(ofCommand) });
    if (problems.length > 0) {
      throw new classes.Error(problems.join('\n'));
    }
  }
}
