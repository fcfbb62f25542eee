/** From answers to two secrets and a file of settings: everything is checked before anything leaves. */
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { findProblems } from '../build/parameters.ts';
import { type Answers, readConsoleFiles } from './answers.ts';
import { composeSecrets, type Judgement, judgeSecrets, type Secrets } from './secrets.ts';
import { settingsOf, writeSettings } from './settings.ts';
import { readSecret, secretNames, type StoredSecret, writeSecret } from './store.ts';

export interface Prepared extends Judgement {
  readonly secrets: Secrets;
  readonly stored: { readonly miniProgram: StoredSecret; readonly merchant: StoredSecret };
}

const NOTHING_STORED: StoredSecret = { exists: false, fields: {} };

/**
 * What would be written, and what is wrong with it. Reads what is stored, if there is a client:
 * fields that were not answered stay as they are.
 */
export async function prepare(
  answers: Answers,
  client: SecretsManagerClient | undefined,
  nowMs: number,
): Promise<Prepared> {
  const files = readConsoleFiles(answers.certificateFolder);
  const names = secretNames(answers.stage);
  const read = (name: string) => (client ? readSecret(client, name) : NOTHING_STORED);
  const stored = {
    miniProgram: await read(names.miniProgram),
    merchant: await read(names.merchant),
  };
  const secrets = composeSecrets(answers, files, {
    miniProgram: stored.miniProgram.fields,
    merchant: stored.merchant.fields,
  });
  const judgement = judgeSecrets(secrets, answers, files, nowMs);
  const problems = findProblems({ given: settingsOf(answers), region: answers.region });
  return { ...judgement, faults: [...judgement.faults, ...problems], secrets, stored };
}

/** Writes both secrets, then the settings, which name them. */
export async function carryOut(
  answers: Answers,
  { secrets, stored }: Prepared,
  client: SecretsManagerClient,
  settingsPath: string,
): Promise<void> {
  const names = secretNames(answers.stage);
  const write = (which: 'miniProgram' | 'merchant') =>
    writeSecret(client, names[which], stored[which], secrets[which], answers.kmsKeyArn);
  const miniProgramSecretArn = await write('miniProgram');
  const merchantSecretArn = await write('merchant');
  writeSettings(settingsPath, { ...settingsOf(answers), miniProgramSecretArn, merchantSecretArn });
}

/** What is written, without a word of a key: the names of its fields, and what anybody may know. */
export function describe(answers: Answers, { secrets, certificate }: Prepared): string[] {
  const names = secretNames(answers.stage);
  const fieldsOf = (fields: object) => Object.keys(fields).toSorted().join(', ');
  return [
    `${answers.stage} · ${answers.region} · API ${answers.apiVersion}`,
    `${answers.appid} · ${answers.mchid}`,
    `${names.miniProgram}: ${fieldsOf(secrets.miniProgram)}`,
    `${names.merchant}: ${fieldsOf(secrets.merchant)}`,
    ...(certificate ? [`apiclient_cert.pem ${certificate.serialNo}`] : []),
    ...(secrets.merchant.wechatpayPublicKeyId ? [secrets.merchant.wechatpayPublicKeyId] : []),
  ];
}
