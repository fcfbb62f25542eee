/** A Secrets Manager with one secret, in memory. */
import {
  type GetSecretValueCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsClient } from '../../lib/secrets/client.ts';

export const STORED_ID = 'wechatpay-serverless/test/secret';

/** @param previous nothing when the secret was never rotated. */
export function storedSecret(current: object, previous?: object): SecretsClient {
  const stages: Readonly<Record<string, object | undefined>> = {
    AWSCURRENT: current,
    AWSPREVIOUS: previous,
  };
  const send = async ({ input }: GetSecretValueCommand) => {
    const content = input.SecretId === STORED_ID && stages[input.VersionStage ?? ''];
    if (!content) {
      throw new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
    }
    return { SecretString: JSON.stringify(content), $metadata: {} };
  };
  return { send: send as never };
}
