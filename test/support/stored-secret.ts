/** A Secrets Manager in memory. */
import {
  type GetSecretValueCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsClient } from '../../lib/secrets/client.ts';

export const STORED_ID = 'wechatpay-serverless/test/secret';

interface Versions {
  readonly AWSCURRENT: object;
  /** Missing when the secret was never rotated. */
  readonly AWSPREVIOUS?: object | undefined;
}

/** @param onRead hears the id of every secret that is asked for. */
export function storedSecrets(
  secrets: Readonly<Record<string, Versions>>,
  onRead: (id: string) => void = () => undefined,
): SecretsClient {
  const send = async ({ input }: GetSecretValueCommand) => {
    const { SecretId = '', VersionStage } = input;
    onRead(SecretId);
    const content = secrets[SecretId]?.[VersionStage as keyof Versions];
    if (!content) {
      throw new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
    }
    return { SecretString: JSON.stringify(content), $metadata: {} };
  };
  return { send: send as never };
}

/** One secret, `STORED_ID`. */
export const storedSecret = (current: object, previous?: object): SecretsClient =>
  storedSecrets({ [STORED_ID]: { AWSCURRENT: current, AWSPREVIOUS: previous } });
