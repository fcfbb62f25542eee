import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { findLosses, KINDS_OF_LOSS } from './careless-changes.mjs';
import { readSettings, settingsPath } from './settings-file.mjs';
import { settleConditions } from './template-conditions.mjs';

const projectDirectory = resolve(import.meta.dirname, '..');

/** `--param` as it is given, in order. */
const parametersOf = (options) =>
  Object.fromEntries(
    (options.param ?? []).map((item) => {
      const [name, ...value] = item.split('=');
      return [name, value.join('=').trimEnd()];
    }),
  );

/**
 * Puts the settings of the stage among the parameters, judges them, and builds the zips before
 * `serverless package` and `deploy` look for them; compares with what is deployed before it is
 * changed. The bundler and the judgement run as scripts of their own because they are TypeScript and
 * need the project's Node, while Serverless runs under whatever Node the machine has.
 */
export default class BundlePlugin {
  #serverless;

  constructor(serverless) {
    this.#serverless = serverless;
    this.#addSettings();
    this.hooks = {
      'before:package:initialize': () => this.#bundle(),
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        settleConditions(serverless.service.provider.compiledCloudFormationTemplate);
      },
      'before:aws:deploy:deploy:createStack': () => this.#compare(),
      'before:deploy:function:initialize': () => this.#refuseSingleFunction(),
    };
  }

  #refuse(reason) {
    throw new this.#serverless.classes.Error(reason);
  }

  get #stage() {
    const { processedInput, configurationInput, service } = this.#serverless;
    return (
      processedInput.options.stage ?? configurationInput.provider?.stage ?? service.provider.stage
    );
  }

  /** Before anything asks for a parameter. The command line has the last word, by Serverless itself. */
  #addSettings() {
    const { configurationInput, serviceDir } = this.#serverless;
    const stage = this.#stage;
    try {
      const settings = readSettings(settingsPath(serviceDir, stage));
      configurationInput.params[stage] = { ...configurationInput.params[stage], ...settings };
    } catch (error) {
      this.#refuse(error.message);
    }
  }

  #given() {
    const { configurationInput, processedInput } = this.#serverless;
    return { ...configurationInput.params[this.#stage], ...parametersOf(processedInput.options) };
  }

  #bundle() {
    if (this.#stage === 'local') {
      this.#refuse(
        'The stage "local" trusts hosts other than WeChat\'s and is never deployed. Choose another.',
      );
    }
    this.#checkParameters();
    this.#run('build', { stdio: 'inherit' });
  }

  /** Serverless ignores a name that it does not know, so a misspelt setting would be silently off. */
  #checkParameters() {
    const { region } = this.#serverless.service.provider;
    const input = JSON.stringify({ given: this.#given(), region });
    const stdio = ['pipe', 'pipe', 'inherit'];
    const problems = JSON.parse(this.#run('check:parameters', { input, stdio }));
    const unknown = this.#allowed().filter((kind) => !KINDS_OF_LOSS.includes(kind));
    if (unknown.length > 0) {
      problems.push(`The parameter allowChanges may name ${KINDS_OF_LOSS.join(', ')}.`);
    }
    if (problems.length > 0) {
      this.#refuse(problems.join('\n'));
    }
  }

  #run(script, options) {
    const { status, error, stdout } = spawnSync('npm', ['run', '--silent', script], {
      cwd: projectDirectory,
      shell: process.platform === 'win32',
      encoding: 'utf8',
      ...options,
    });
    if (status !== 0) {
      this.#refuse(`npm run ${script} failed: ${error?.message ?? `exit code ${status}`}`);
    }
    return stdout;
  }

  #allowed() {
    return String(this.#given().allowChanges ?? '')
      .split(',')
      .map((kind) => kind.trim())
      .filter(Boolean);
  }

  /** What is deployed now and would be lost stops the deployment, unless it is allowed by name. */
  async #compare() {
    const provider = this.#serverless.getProvider('aws');
    const after = this.#serverless.service.provider.compiledCloudFormationTemplate;
    const before = await this.#deployedTemplate(provider);
    await this.#refuseTakenNames(provider, before, after);
    const losses = findLosses(before, after, {
      allowed: this.#allowed(),
      given: this.#given(),
    });
    if (losses.length > 0) {
      this.#refuse(
        [
          'This deployment would take away what is there now:',
          ...losses.map((loss) => `  ${loss}`),
          `Is a setting missing? They belong into ${settingsPath('', this.#stage, {})}.`,
          `If it is meant: --param="allowChanges=${[...new Set(losses.map((loss) => loss.split(':')[0]))].join(',')}"`,
        ].join('\n'),
      );
    }
  }

  async #deployedTemplate(provider) {
    const StackName = provider.naming.getStackName();
    const cloudFormation = await provider.getCloudFormationClient();
    try {
      const { TemplateBody } = await cloudFormation.send(
        new GetTemplateCommand({ StackName, TemplateStage: 'Processed' }),
      );
      return JSON.parse(TemplateBody);
    } catch (error) {
      if (/does not exist/.test(error.message)) {
        return { Resources: {} };
      }
      throw error;
    }
  }

  /** CloudFormation would find out in the middle, and roll everything back. */
  async #refuseTakenNames(provider, before, after) {
    const named = Object.entries(after.Resources).filter(
      ([name, { Type }]) => Type === 'AWS::SecretsManager::Secret' && !before.Resources[name],
    );
    const client = new SecretsManagerClient(await provider.getAwsSdkV3Config());
    for (const [, { Properties }] of named) {
      const secret = await this.#findSecret(client, Properties.Name);
      if (secret?.DeletedDate) {
        this.#refuse(
          `The secret ${Properties.Name} is being deleted, and its name is taken until then: aws secretsmanager restore-secret --secret-id ${Properties.Name} brings it back.`,
        );
      }
      if (secret !== undefined) {
        this.#refuse(
          `The secret ${Properties.Name} is there already, from an earlier deployment or from npm run setup: npm run setup puts its ARN into the settings of the stage, and the deployment takes it as it is.`,
        );
      }
    }
  }

  async #findSecret(client, SecretId) {
    try {
      return await client.send(new DescribeSecretCommand({ SecretId }));
    } catch (error) {
      if (error.name === 'ResourceNotFoundException') {
        return undefined;
      }
      throw error;
    }
  }

  #refuseSingleFunction() {
    this.#refuse(
      'A single function is not deployed: its settings come from the stack (names of table, secrets and roles), which only a whole deployment knows, and a function changed beside the stack would be changed back by the next rollback. "serverless deploy" takes a minute and changes only what differs.',
    );
  }
}
