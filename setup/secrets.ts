/** The two secrets out of the answers, and everything that is wrong with them before they leave. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { ConfigError } from '../lib/errors.ts';
import { judgeCertificate } from '../lib/secrets/certificate-life.ts';
import { type MerchantSecret, readMerchantSecret } from '../lib/secrets/merchant.ts';
import { type MiniProgramSecret, readMiniProgramSecret } from '../lib/secrets/mini-program.ts';
import {
  clientCertificateOf,
  findCertificateFault,
} from '../lib/wechatpay/v2/client-certificate.ts';
import type { Answers, ConsoleFiles } from './answers.ts';

export interface Secrets {
  readonly miniProgram: Partial<MiniProgramSecret>;
  readonly merchant: Partial<MerchantSecret>;
}

const SESSION_KEY_BYTES = 32;

/** Without what was not given: what a secret had before then stays. */
const given = (fields: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value));

/**
 * What the answers make of the secrets that are there already. A session key is made once and stays,
 * or every buyer would have to log in again.
 */
export function composeSecrets(
  answers: Answers,
  { merchantP12, ...files }: ConsoleFiles,
  before: Secrets = { miniProgram: {}, merchant: {} },
): Secrets {
  const { appid, appSecret, quoteKey, mchid, subMchid, spAppid, apiV2Key, apiV3Key } = answers;
  const hasPem = files.merchantPrivateKey !== undefined && files.merchantCertificate !== undefined;
  const sessionKey =
    before.miniProgram.sessionKey ?? randomBytes(SESSION_KEY_BYTES).toString('hex');
  return {
    miniProgram: {
      ...before.miniProgram,
      ...given({ appid, appSecret, quoteKey, sessionKey }),
    },
    merchant: {
      ...before.merchant,
      ...given({ mchid, subMchid, spAppid, apiV2Key, apiV3Key, ...files }),
      ...given({ merchantP12: hasPem ? undefined : merchantP12 }),
      ...given({
        merchantSerialNo: answers.merchantSerialNo ?? serialNoOf(files.merchantCertificate),
        wechatpayPublicKeyId: answers.wechatpayPublicKeyId,
      }),
    },
  };
}

function serialNoOf(certificate: string | undefined): string | undefined {
  try {
    return certificate && new X509Certificate(certificate).serialNumber;
  } catch {
    // What is wrong with it is said by the check.
    return undefined;
  }
}

export interface Judgement {
  /** Each stops setup. No value of a secret is in them. */
  readonly faults: readonly string[];
  readonly certificate?: { readonly serialNo: string; readonly daysLeft: number };
}

/** Judges as the functions will, and besides what they would only find out at a refund. */
export function judgeSecrets(
  { miniProgram, merchant }: Secrets,
  { apiVersion, mchid }: Pick<Answers, 'apiVersion' | 'mchid'>,
  { merchantP12 }: ConsoleFiles,
  nowMs: number,
): Judgement {
  const faults = [
    faultOf(() => readMiniProgramSecret('mini-program', JSON.stringify(miniProgram))),
    faultOf(() => readMerchantSecret('merchant', JSON.stringify(merchant), apiVersion)),
  ].filter((fault) => fault !== undefined);
  if (faults.length > 0) {
    return { faults };
  }
  const secret = merchant as MerchantSecret;
  const life = judgeCertificate(secret, nowMs);
  return {
    faults: [...certificateFaults(secret, nowMs), ...p12Faults(mchid, merchantP12)],
    ...(life && { certificate: life }),
  };
}

/** Of what is shown in the handshake of a refund of API v2. */
function certificateFaults(secret: MerchantSecret, nowMs: number): string[] {
  if (!secret.merchantCertificate && !secret.merchantP12) {
    return [];
  }
  if (secret.merchantCertificate && !secret.merchantPrivateKey) {
    return ['apiclient_cert.pem is there without its apiclient_key.pem'];
  }
  const life = judgeCertificate(secret, nowMs);
  if (life && !life.hasOurSerialNo) {
    return ['merchantSerialNo is not the serial number of apiclient_cert.pem'];
  }
  const fault = faultOf(() => {
    const problem = findCertificateFault(secret, nowMs);
    if (problem !== undefined) {
      throw new ConfigError(`apiclient_cert.pem: ${problem}`);
    }
  });
  return fault === undefined ? [] : [fault];
}

/** A `.p12` beside the PEM files is not kept, but one of another merchant is a mistake to be told. */
function p12Faults(mchid: string, merchantP12: string | undefined): string[] {
  if (merchantP12 === undefined) {
    return [];
  }
  const fault = faultOf(() => clientCertificateOf({ mchid, merchantP12 }));
  return fault === undefined || /RC2-40/.test(fault) ? [] : [fault];
}

function faultOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.message;
    }
    throw error;
  }
}
