/** The connection to Secrets Manager. */
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ConfigError } from '../errors.ts';

export type SecretsClient = Pick<SecretsManagerClient, 'send'>;

/** Region, credentials and endpoint come from the SDK's own environment variables. */
export function openSecretsClient(): SecretsClient {
  return new SecretsManagerClient({
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: 800,
      requestTimeout: 1_000,
      throwOnRequestTimeout: true,
    },
  });
}

/** Refusals that last until the owner mends them: the role, the key of KMS, a deleted secret. */
const LASTING: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'DecryptionFailure',
  'InvalidRequestException',
  'InvalidParameterException',
]);

/**
 * The text of one version, empty when it has bytes instead; nothing when there is no such version.
 *
 * @throws {ConfigError} when AWS refuses for a reason that lasts.
 */
export async function readSecret(
  client: SecretsClient,
  secretId: string,
  stage: 'AWSCURRENT' | 'AWSPREVIOUS',
): Promise<string | undefined> {
  try {
    const answer = await client.send(
      new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage }),
    );
    return answer.SecretString ?? '';
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      return undefined;
    }
    const { name } = error as Error;
    if (LASTING.has(name)) {
      throw new ConfigError(`the secret ${secretId} cannot be read: ${name}`);
    }
    throw error;
  }
}
