import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSecretsManager } from '../../../local/aws/secrets-manager.ts';

let directory: string;
let file: string;
let server: Awaited<ReturnType<typeof startSecretsManager>>;
let client: SecretsManagerClient;

const open = async () => {
  server = await startSecretsManager({ path: file });
  client = new SecretsManagerClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
};
const close = async () => {
  client.destroy();
  await server.stop();
};
const create = (value: string) =>
  client.send(new CreateSecretCommand({ Name: 'shop/local/merchant', SecretString: value }));
const put = (value: string, more: { ClientRequestToken?: string; VersionStages?: string[] } = {}) =>
  client.send(
    new PutSecretValueCommand({ SecretId: 'shop/local/merchant', SecretString: value, ...more }),
  );
const get = (more: { VersionStage?: string; VersionId?: string } = {}) =>
  client.send(new GetSecretValueCommand({ SecretId: 'shop/local/merchant', ...more }));

const TOKEN = '11111111-2222-4333-8444-555555555555';

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'secrets-'));
  file = path.join(directory, 'secrets.json');
  await open();
});

afterEach(async () => {
  await close();
  rmSync(directory, { recursive: true });
});

describe('the local Secrets Manager', () => {
  it('gives the current value by name and by ARN, with its version and date', async () => {
    const created = await create('{"a":1}');
    const byName = await get();
    expect(byName).toMatchObject({
      Name: 'shop/local/merchant',
      SecretString: '{"a":1}',
      VersionId: created.VersionId,
      VersionStages: ['AWSCURRENT'],
    });
    expect(byName.ARN).toMatch(/^arn:aws:secretsmanager:.*:secret:shop\/local\/merchant-\w{6}$/);
    expect(Math.abs(Number(byName.CreatedDate) - Date.now())).toBeLessThan(60_000);
    const byArn = await client.send(new GetSecretValueCommand({ SecretId: String(byName.ARN) }));
    expect(byArn.SecretString).toBe('{"a":1}');
  });

  it('moves AWSCURRENT to a new value and AWSPREVIOUS to the one before, twice over', async () => {
    await create('one');
    await put('two');
    await put('three');
    expect((await get()).SecretString).toBe('three');
    expect((await get({ VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('two');
  });

  it('reads a version by its id, also one that carries no stage any more', async () => {
    const first = await create('one');
    await put('two');
    await put('three');
    const version = await get({ VersionId: String(first.VersionId) });
    expect(version.SecretString).toBe('one');
    expect(version.VersionStages ?? []).toEqual([]);
  });

  it('leaves AWSCURRENT alone when a pending version is put', async () => {
    await create('one');
    await put('two', { VersionStages: ['AWSPENDING'] });
    expect((await get()).SecretString).toBe('one');
    expect((await get({ VersionStage: 'AWSPENDING' })).SecretString).toBe('two');
  });

  it('repeats a put of the same token and value without a new version', async () => {
    await create('one');
    await put('two', { ClientRequestToken: TOKEN });
    await put('two', { ClientRequestToken: TOKEN });
    expect((await get()).VersionId).toBe(TOKEN);
    expect((await get({ VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('one');
  });

  it('refuses a used token with another value', async () => {
    await create('one');
    await put('two', { ClientRequestToken: TOKEN });
    await expect(put('three', { ClientRequestToken: TOKEN })).rejects.toMatchObject({
      name: 'ResourceExistsException',
    });
    expect((await get()).SecretString).toBe('two');
  });

  it('describes which version has which stage', async () => {
    const first = await create('one');
    await put('two', { ClientRequestToken: TOKEN });
    const described = await client.send(
      new DescribeSecretCommand({ SecretId: 'shop/local/merchant' }),
    );
    expect(described.VersionIdsToStages).toEqual({
      [String(first.VersionId)]: ['AWSPREVIOUS'],
      [TOKEN]: ['AWSCURRENT'],
    });
  });

  it('answers an unknown secret and a missing stage with ResourceNotFoundException', async () => {
    await expect(get()).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
      $metadata: { httpStatusCode: 400 },
    });
    await create('one');
    await expect(get({ VersionStage: 'AWSPREVIOUS' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message:
        "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
    });
  });

  it('refuses a second secret of the same name', async () => {
    await create('one');
    await expect(create('two')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  it('answers an operation it does not know with a clear error', async () => {
    const answer = await fetch(server.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'secretsmanager.RotateSecret' },
      body: '{}',
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ __type: 'UnknownOperationException' });
  });

  it('has every value and stage again after a restart, in a file only the owner reads', async () => {
    await create('one');
    await put('two');
    await close();
    await open();
    expect((await get()).SecretString).toBe('two');
    expect((await get({ VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('one');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['secrets.json']);
    expect(readFileSync(file, 'utf8')).toContain('two');
  });

  it('refuses to start on a damaged file and says which', async () => {
    const damaged = path.join(directory, 'damaged.json');
    writeFileSync(damaged, '[{');
    await expect(startSecretsManager({ path: damaged })).rejects.toThrow(
      `${damaged} is not valid JSON`,
    );
  });
});
