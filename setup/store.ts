/** The two secrets in AWS Secrets Manager: created, or given a new version. */
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

/** Where the secrets of a stage are, as serverless.yml names them. */
export const secretNames = (stage: string) => ({
  miniProgram: `wechatpay-serverless/${stage}/mini-program`,
  merchant: `wechatpay-serverless/${stage}/merchant`,
});

export interface StoredSecret {
  /** Whether there is one of that name; the stack makes them without a value. */
  readonly exists: boolean;
  readonly fields: Readonly<Record<string, string>>;
}

export async function readSecret(
  client: SecretsManagerClient,
  SecretId: string,
): Promise<StoredSecret> {
  try {
    const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId }));
    return { exists: true, fields: JSON.parse(SecretString) };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      // Without a value AWS says the same name of error, with another text.
      return { exists: /secret value/.test(error.message), fields: {} };
    }
    if (error instanceof SyntaxError) {
      return { exists: true, fields: {} };
    }
    throw error;
  }
}

/** Writes the value and tells the ARN. */
export async function writeSecret(
  client: SecretsManagerClient,
  name: string,
  { exists }: StoredSecret,
  fields: object,
  KmsKeyId: string | undefined,
): Promise<string> {
  const SecretString = JSON.stringify(fields);
  const { ARN = '' } = await (exists
    ? client.send(new PutSecretValueCommand({ SecretId: name, SecretString }))
    : client.send(
        new CreateSecretCommand({ Name: name, SecretString, ...(KmsKeyId && { KmsKeyId }) }),
      ));
  return ARN;
}
