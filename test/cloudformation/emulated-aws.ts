/** The emulated account, and a deployment into it by the steps of the framework. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourceCommand,
  DescribeStacksCommand,
  type Stack,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, vi } from 'vitest';
import type { Resource, Template } from '../deploy/cloudformation.ts';
import { projectDirectory } from '../repo/project.ts';

const endpoint = process.env['EMULATED_AWS_URL'] ?? 'http://127.0.0.1:4566';

export const REGION = 'ap-southeast-1';

/** What a program needs to find the emulated account. */
export const EMULATED_ENVIRONMENT = {
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: REGION,
};

const config = {
  endpoint,
  region: REGION,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};
const cloudFormation = new CloudFormationClient(config);
const s3 = new S3Client({ ...config, forcePathStyle: true });
const secretsManager = new SecretsManagerClient(config);
const dynamoDb = new DynamoDBClient(config);

const CAPABILITIES = {
  Capabilities: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'] as (
    | 'CAPABILITY_IAM'
    | 'CAPABILITY_NAMED_IAM'
  )[],
};

/** Without what the emulator has not: AWS and cfn-lint know archives, and alarms on sums of metrics. */
export function asEmulated(template: Template): Template {
  const isMissing = ({ Type, Properties }: Resource) =>
    Type === 'AWS::Events::Archive' ||
    (Type === 'AWS::CloudWatch::Alarm' && Properties['Metrics'] !== undefined);
  const Resources = Object.fromEntries(
    Object.entries(template.Resources).filter(([, resource]) => !isMissing(resource)),
  );
  return { ...template, Resources };
}

export async function findStack(StackName: string): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
    return Stacks[0];
  } catch (error) {
    if (/does not exist/.test((error as Error).message)) {
      return undefined;
    }
    throw error;
  }
}

/** Waits for the end of what is going on, and tells it. */
const settled = (stackName: string) =>
  vi.waitFor(
    async () => {
      const status = (await findStack(stackName))?.StackStatus ?? 'DELETE_COMPLETE';
      expect(status).not.toMatch(/IN_PROGRESS$/);
      return status;
    },
    { timeout: 120_000, interval: 300 },
  );

/** First the bucket, then the zips, then everything, as `serverless deploy` does it. */
export async function deploy(stackName: string, template: Template): Promise<string> {
  if ((await findStack(stackName)) === undefined) {
    const bucketOnly = Object.entries(template.Resources).filter(([name]) =>
      name.startsWith('ServerlessDeploymentBucket'),
    );
    const TemplateBody = JSON.stringify({ Resources: Object.fromEntries(bucketOnly) });
    await cloudFormation.send(
      new CreateStackCommand({ StackName: stackName, TemplateBody, ...CAPABILITIES }),
    );
    expect(await settled(stackName)).toBe('CREATE_COMPLETE');
  }
  const Bucket = await physicalId(stackName, 'ServerlessDeploymentBucket');
  await uploadCode(template, Bucket);
  const Key = 'template.json';
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(template) }));
  await cloudFormation.send(
    new UpdateStackCommand({
      StackName: stackName,
      TemplateURL: `https://s3.${REGION}.amazonaws.com/${Bucket}/${Key}`,
      ...CAPABILITIES,
    }),
  );
  return settled(stackName);
}

async function uploadCode({ Resources }: Template, Bucket: string): Promise<void> {
  for (const { Type, Properties } of Object.values(Resources)) {
    if (Type === 'AWS::Lambda::Function') {
      const { S3Key: Key } = Properties['Code'] as { S3Key: string };
      const Body = readFileSync(join(projectDirectory, '.build', Key.split('/').at(-1) ?? ''));
      await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    }
  }
}

export async function remove(stackName: string): Promise<string> {
  await cloudFormation.send(new DeleteStackCommand({ StackName: stackName }));
  return settled(stackName);
}

export async function physicalId(StackName: string, LogicalResourceId: string): Promise<string> {
  const { StackResourceDetail } = await cloudFormation.send(
    new DescribeStackResourceCommand({ StackName, LogicalResourceId }),
  );
  return StackResourceDetail?.PhysicalResourceId ?? '';
}

/** What failed, and why: for the message of a test that expected none. */
export async function failuresOf(StackName: string): Promise<string[]> {
  const { StackEvents = [] } = await cloudFormation.send(
    new DescribeStackEventsCommand({ StackName }),
  );
  return StackEvents.filter(({ ResourceStatus }) => ResourceStatus?.endsWith('FAILED')).map(
    ({ LogicalResourceId, ResourceStatusReason }) =>
      `${LogicalResourceId}: ${ResourceStatusReason}`,
  );
}

export async function listSecrets(): Promise<Record<string, string>> {
  const { SecretList = [] } = await secretsManager.send(new ListSecretsCommand({}));
  return Object.fromEntries(SecretList.map(({ Name = '', ARN = '' }) => [Name, ARN]));
}

export async function listTables(): Promise<string[]> {
  const { TableNames = [] } = await dynamoDb.send(new ListTablesCommand({}));
  return TableNames;
}
