/** The connection to Secrets Manager. */
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

export type SecretsClient = Pick<SecretsManagerClient, 'send'>;

/** Region, credentials and endpoint come from the SDK's own environment variables. */
export function openSecretsClient(): SecretsClient {
  return new SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 1_000,
      requestTimeout: 1_500,
      throwOnRequestTimeout: true,
    },
  });
}

/** The text of one version, empty when it has bytes instead; nothing when there is no such version. */
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
    throw error;
  }
}
