/** A small AWS Secrets Manager: its JSON 1.1 protocol for the four calls that the project needs. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOnLoopback, readBody } from '../http-server.ts';
import { openSecretsStore, type SecretsStore, SecretsManagerError } from './secrets-store.ts';

const MAX_BODY_BYTES = 1_000_000;
const TARGET_PREFIX = 'secretsmanager.';

type Input = Readonly<Record<string, unknown>>;
type Operation = (store: SecretsStore, input: Input) => unknown;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  GetSecretValue: getSecretValue,
  PutSecretValue: putSecretValue,
  CreateSecret: createSecret,
  DescribeSecret: describeSecret,
};

/** Starts the server; with `path` the secrets are kept in that file across restarts. */
export async function startSecretsManager(
  options: { path?: string; port?: number } = {},
): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const store = openSecretsStore(options.path);
  const server = await listenOnLoopback(
    (request, response) => {
      void answer(store, request, response);
    },
    { port: options.port ?? 0 },
  );
  return { endpoint: server.url, stop: () => server.stop() };
}

async function answer(
  store: SecretsStore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(request, MAX_BODY_BYTES);
    send(response, 200, runOperation(store, request, body));
  } catch (error) {
    if (error instanceof SecretsManagerError) {
      send(response, 400, { __type: error.exception, Message: error.message });
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    send(response, 500, { __type: 'InternalServiceError', Message: message });
  }
}

function runOperation(store: SecretsStore, request: IncomingMessage, body: Buffer): unknown {
  const target = String(request.headers['x-amz-target'] ?? '');
  const name = target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation === undefined) {
    throw new SecretsManagerError('UnknownOperationException', `no operation "${target}" here`);
  }
  return operation(store, parseInput(body));
}

function parseInput(body: Buffer): Input {
  try {
    const input: unknown = JSON.parse(body.toString('utf8'));
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
      return input as Input;
    }
  } catch {
    // Falls through to the same refusal.
  }
  throw new SecretsManagerError('SerializationException', 'the body is not a JSON object');
}

function getSecretValue(store: SecretsStore, input: Input): unknown {
  const { secret, version } = store.getVersion(
    readText(input, 'SecretId'),
    readOptionalText(input, 'VersionId'),
    readOptionalText(input, 'VersionStage'),
  );
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.versionId,
    SecretString: version.secretString,
    SecretBinary: version.secretBinary,
    VersionStages: version.stages,
    CreatedDate: version.createdEpochSeconds,
  };
}

function putSecretValue(store: SecretsStore, input: Input): unknown {
  const value = readNewValue(input);
  if (value.secretString === undefined && value.secretBinary === undefined) {
    throw new SecretsManagerError(
      'InvalidRequestException',
      'You must provide either SecretString or SecretBinary.',
    );
  }
  const { secret, version } = store.putVersion(readText(input, 'SecretId'), value);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.versionId,
    VersionStages: version.stages,
  };
}

function createSecret(store: SecretsStore, input: Input): unknown {
  const { secret, version } = store.create(readText(input, 'Name'), readNewValue(input));
  return { ARN: secret.arn, Name: secret.name, VersionId: version?.versionId };
}

function describeSecret(store: SecretsStore, input: Input): unknown {
  const secret = store.describe(readText(input, 'SecretId'));
  const labelled = secret.versions.filter(({ stages }) => stages.length > 0);
  return {
    ARN: secret.arn,
    Name: secret.name,
    CreatedDate: secret.createdEpochSeconds,
    VersionIdsToStages: Object.fromEntries(labelled.map((v) => [v.versionId, v.stages])),
  };
}

function readNewValue(input: Input) {
  const stages = input.VersionStages;
  return {
    secretString: readOptionalText(input, 'SecretString'),
    secretBinary: readOptionalText(input, 'SecretBinary'),
    clientRequestToken: readOptionalText(input, 'ClientRequestToken'),
    versionStages: Array.isArray(stages) ? stages.map(String) : undefined,
  };
}

function readText(input: Input, name: string): string {
  const value = readOptionalText(input, name);
  if (value !== undefined && value !== '') {
    return value;
  }
  throw new SecretsManagerError('InvalidParameterException', `${name} is missing`);
}

function readOptionalText(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value === 'string') {
    return value;
  }
  throw new SecretsManagerError('InvalidParameterException', `${name} must be a string`);
}

function send(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(content));
}
