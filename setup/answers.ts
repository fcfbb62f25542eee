/** What setup has to know, asked for or from a file; and the files that the merchant console gives. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import * as v from 'valibot';

const optional = v.optional(v.string());

const ANSWERS = v.strictObject({
  stage: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/i)),
  region: v.pipe(v.string(), v.regex(/^[a-z]{2}(-[a-z]+)+-\d$/)),
  apiVersion: v.picklist(['v2', 'v3']),
  appid: v.string(),
  appSecret: optional,
  quoteKey: optional,
  mchid: v.string(),
  subMchid: optional,
  spAppid: optional,
  apiV2Key: optional,
  apiV3Key: optional,
  /** Where apiclient_key.pem, apiclient_cert.pem, apiclient_cert.p12 and pub_key.pem are. */
  certificateFolder: optional,
  merchantSerialNo: optional,
  wechatpayPublicKeyId: optional,
  domainName: optional,
  certificateArn: optional,
  alarmEmail: optional,
  kmsKeyArn: optional,
});

/** Texts as they were given; nothing is proved of them yet. */
export type Answers = v.InferOutput<typeof ANSWERS>;

/** Says what is wrong with a file of answers without a word of what stands in it. */
export class AnswersError extends Error {}

/** Reads a file of answers; `-` is standard input. @throws {AnswersError} naming what is wrong. */
export function readAnswers(path: string): Answers {
  let content: unknown;
  try {
    content = parse(readFileSync(path === '-' ? 0 : path, 'utf8'), { schema: 'failsafe' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new AnswersError(`${path} ${code === 'ENOENT' ? 'is not there' : 'is not YAML'}`);
  }
  const parsed = v.safeParse(ANSWERS, content);
  if (!parsed.success) {
    const names = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'the file as a whole');
    throw new AnswersError(`${path}: missing, misspelt or malformed: ${names.join(', ')}`);
  }
  return parsed.output;
}

export interface ConsoleFiles {
  readonly merchantPrivateKey?: string;
  readonly merchantCertificate?: string;
  /** In base64. */
  readonly merchantP12?: string;
  readonly wechatpayPublicKey?: string;
}

const FILES = [
  ['merchantPrivateKey', 'apiclient_key.pem', 'utf8'],
  ['merchantCertificate', 'apiclient_cert.pem', 'utf8'],
  ['merchantP12', 'apiclient_cert.p12', 'base64'],
  ['wechatpayPublicKey', 'pub_key.pem', 'utf8'],
] as const;

/** Those files that are in the folder. @throws {AnswersError} when there is none. */
export function readConsoleFiles(folder: string | undefined): ConsoleFiles {
  if (!folder) {
    return {};
  }
  const directory = resolve(folder);
  const found = FILES.filter(([, file]) => existsSync(join(directory, file)));
  if (found.length === 0) {
    const names = FILES.map(([, file]) => file).join(', ');
    throw new AnswersError(`${directory} has none of ${names}`);
  }
  return Object.fromEntries(
    found.map(([field, file, encoding]) => [field, readFileSync(join(directory, file), encoding)]),
  );
}
