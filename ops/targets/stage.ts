/** A deployed stage, by the outputs of its stack. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { parse } from 'yaml';
import type { Environment } from '../../lib/runtime/environment.ts';
import { openTableClient } from '../../lib/table/client.ts';
import { UsageError } from '../errors.ts';
import type { Texts } from '../texts/en.ts';
import type { FailedBatches } from './failed-batches.ts';
import { openFailedEventsBucket } from './failed-events-bucket.ts';
import { invokeOnStage } from './invoke.ts';
import type { Target } from './target.ts';

const SERVICE = 'wechatpay-serverless';
const DEFAULT_REGION = 'ap-southeast-1';

/** Which output says what a function has as which variable. */
const VARIABLES = {
  TABLE_NAME: 'TableName',
  EVENT_BUS_NAME: 'EventBusName',
  NOTIFICATION_RETENTION_DAYS: 'NotificationRetentionDays',
  MERCHANT_SECRET_ID: 'MerchantSecretArn',
  MINI_PROGRAM_SECRET_ID: 'MiniProgramSecretArn',
  PUBLIC_BASE_URL: 'ApiUrl',
  WECHAT_PAY_API_VERSION: 'ApiVersion',
  PAYMENT_AFTER_CLOSE: 'PaymentAfterClose',
} as const;

/**
 * From now on this process works in the stage's Region, until `close()`. Credentials are those that
 * the AWS SDK finds.
 *
 * @throws {UsageError} when there is no such stack, or one of a version without these outputs.
 */
export async function openStageTarget(
  stage: string,
  region: string | undefined,
  say: Texts,
): Promise<Target> {
  const before = process.env['AWS_REGION'];
  const chosen = region ?? regionOfSettings(stage) ?? defaultRegion(process.env);
  process.env['AWS_REGION'] = chosen;
  const restore = () => {
    if (before === undefined) {
      delete process.env['AWS_REGION'];
    } else {
      process.env['AWS_REGION'] = before;
    }
  };
  try {
    const outputs = await readOutputs(`${SERVICE}-${stage}`, chosen, say);
    const outputOf = (name: string) => outputOrThrow(outputs, name, stage, say);
    const client = openTableClient();
    const batches = outputs.has('FailedEventsQueueUrl')
      ? withoutBatches(say)
      : openFailedEventsBucket(outputOf('FailedEventsBucketName'));
    const variables = Object.entries(VARIABLES).map(([name, output]) => [name, outputOf(output)]);
    return {
      name: `${SERVICE}-${stage}`,
      environment: { STAGE: stage, ...Object.fromEntries(variables) },
      table: { client, tableName: outputOf(VARIABLES.TABLE_NAME) },
      failedBatches: batches,
      invoke: (functionName, event) => invokeOnStage(`${SERVICE}-${stage}-${functionName}`, event),
      nowMs: () => Date.now(),
      close: () => {
        client.destroy();
        batches.close();
        restore();
      },
    };
  } catch (error) {
    restore();
    throw error;
  }
}

/** As `serverless.yml` chooses it. */
const defaultRegion = ({ AWS_REGION, AWS_DEFAULT_REGION }: Environment) =>
  AWS_REGION || AWS_DEFAULT_REGION || DEFAULT_REGION;

/** That of the stage's own file of settings, if there is one. */
function regionOfSettings(stage: string): string | undefined {
  const directory = path.resolve(
    import.meta.dirname,
    '../..',
    process.env['SETTINGS_DIRECTORY'] ?? '.',
  );
  try {
    const text = readFileSync(path.join(directory, `params.${stage}.yml`), 'utf8');
    const { region } = (parse(text) ?? {}) as { region?: unknown };
    return typeof region === 'string' && region !== '' ? region : undefined;
  } catch {
    return undefined;
  }
}

type Outputs = ReadonlyMap<string | undefined, string | undefined>;

function outputOrThrow(outputs: Outputs, name: string, stage: string, say: Texts): string {
  const value = outputs.get(name);
  if (value === undefined) {
    throw new UsageError(say.noOutput(`${SERVICE}-${stage}`, name));
  }
  return value;
}

/** In mainland China Lambda keeps of a batch only where in the stream it was. */
const withoutBatches = (say: Texts): FailedBatches & { readonly close: () => void } => ({
  list: () => Promise.reject(new UsageError(say.batchesAreNotKept)),
  read: () => Promise.resolve(undefined),
  close: () => undefined,
});

async function readOutputs(stackName: string, region: string, say: Texts): Promise<Outputs> {
  const client = new CloudFormationClient();
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    return new Map(
      Stacks?.[0]?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    );
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError') {
      throw new UsageError(say.noStack(stackName, region), { cause: error });
    }
    if (error instanceof Error && error.name === 'CredentialsProviderError') {
      throw new Error(say.noCredentials(error.message), { cause: error });
    }
    throw error;
  } finally {
    client.destroy();
  }
}
