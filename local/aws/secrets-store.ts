/** Secrets with versions and stages, kept as AWS Secrets Manager keeps them, in one JSON file. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readJsonFile, START_FRESH, writeJsonFile } from '../json-file.ts';

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
const ARN_PREFIX = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:';

interface Version {
  versionId: string;
  createdEpochSeconds: number;
  stages: string[];
  secretString?: string;
  /** Base64, as on the wire. */
  secretBinary?: string;
}

export interface Secret {
  name: string;
  arn: string;
  createdEpochSeconds: number;
  versions: Version[];
}

export interface NewValue {
  secretString?: string | undefined;
  secretBinary?: string | undefined;
  clientRequestToken?: string | undefined;
  versionStages?: string[] | undefined;
}

/** A refusal with AWS's own exception name and text. */
export class SecretsManagerError extends Error {
  readonly exception: string;

  constructor(exception: string, message: string) {
    super(message);
    this.name = 'SecretsManagerError';
    this.exception = exception;
  }
}

export type SecretsStore = ReturnType<typeof openSecretsStore>;

/** Opens the store; with a path every change is on disk before it is answered. */
export function openSecretsStore(path?: string) {
  const secrets = path === undefined ? [] : readSecrets(path);
  const save = () => {
    if (path !== undefined) {
      writeJsonFile(path, secrets);
    }
  };

  const find = (secretId: string): Secret => {
    const found = secrets.find(({ name, arn }) => name === secretId || arn === secretId);
    if (found !== undefined) {
      return found;
    }
    throw new SecretsManagerError(
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret.",
    );
  };

  return {
    describe: find,

    getVersion(secretId: string, versionId?: string, versionStage?: string) {
      const secret = find(secretId);
      const version = pickVersion(secret, versionId, versionStage);
      return { secret, version };
    },

    create(name: string, value: NewValue) {
      if (secrets.some((secret) => secret.name === name)) {
        throw new SecretsManagerError(
          'ResourceExistsException',
          `The operation failed because the secret ${name} already exists.`,
        );
      }
      const secret: Secret = {
        name,
        arn: `${ARN_PREFIX}${name}-${randomBytes(3).toString('hex')}`,
        createdEpochSeconds: Date.now() / 1000,
        versions: [],
      };
      const hasValue = value.secretString !== undefined || value.secretBinary !== undefined;
      const version = hasValue ? addVersion(secret, value) : undefined;
      secrets.push(secret);
      save();
      return { secret, version };
    },

    putVersion(secretId: string, value: NewValue) {
      const secret = find(secretId);
      const version = addVersion(secret, value);
      save();
      return { secret, version };
    },
  };
}

function readSecrets(path: string): Secret[] {
  const kept = readJsonFile(path) ?? [];
  const isSecret = (one: Partial<Secret> | null) =>
    typeof one?.name === 'string' && Array.isArray(one.versions);
  if (!Array.isArray(kept) || !kept.every(isSecret)) {
    throw new Error(`${path} is not a list of secrets: put it back, ${START_FRESH}`);
  }
  return kept as Secret[];
}

function pickVersion(secret: Secret, versionId?: string, versionStage?: string): Version {
  const stage = versionStage ?? (versionId === undefined ? CURRENT : undefined);
  const byId = secret.versions.filter((v) => versionId === undefined || v.versionId === versionId);
  const version = byId.find((v) => stage === undefined || v.stages.includes(stage));
  if (version !== undefined) {
    return version;
  }
  if (versionId !== undefined && byId.length > 0) {
    throw new SecretsManagerError(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  }
  const what = versionId === undefined ? `staging label: ${stage}` : `VersionId: ${versionId}`;
  throw new SecretsManagerError(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${what}`,
  );
}

/**
 * Adds a version, or finds the one that an earlier identical call with the same token added. The
 * first version of a secret is always current; a new current version makes the old one previous.
 */
function addVersion(secret: Secret, value: NewValue): Version {
  const existing = secret.versions.find((v) => v.versionId === value.clientRequestToken);
  if (existing !== undefined) {
    return assertSameValue(existing, value);
  }
  const version: Version = {
    versionId: value.clientRequestToken ?? randomUUID(),
    createdEpochSeconds: Date.now() / 1000,
    stages: [],
    ...(value.secretString === undefined ? {} : { secretString: value.secretString }),
    ...(value.secretBinary === undefined ? {} : { secretBinary: value.secretBinary }),
  };
  const stages = new Set(value.versionStages ?? [CURRENT]);
  if (secret.versions.length === 0) {
    stages.add(CURRENT);
  }
  secret.versions.push(version);
  for (const stage of stages) {
    moveStage(secret, stage, version);
  }
  return version;
}

function assertSameValue(existing: Version, value: NewValue): Version {
  const same =
    existing.secretString === value.secretString && existing.secretBinary === value.secretBinary;
  if (same) {
    return existing;
  }
  throw new SecretsManagerError(
    'ResourceExistsException',
    `You can't use ClientRequestToken ${existing.versionId} because that value is already in use for a version of secret.`,
  );
}

function moveStage(secret: Secret, stage: string, to: Version): void {
  const from = secret.versions.find((v) => v !== to && v.stages.includes(stage));
  if (from !== undefined) {
    from.stages = from.stages.filter((s) => s !== stage);
  }
  if (!to.stages.includes(stage)) {
    to.stages.push(stage);
  }
  if (stage === CURRENT && from !== undefined) {
    moveStage(secret, PREVIOUS, from);
  }
}
