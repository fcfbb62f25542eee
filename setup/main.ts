/** `npm run setup`: asks what a stage needs, checks it, writes its settings and its two secrets. */
import { join, resolve } from 'node:path';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { confirm, intro, isCancel, log, note, outro } from '@clack/prompts';
import { Command, Option } from 'commander';
import { type Answers, AnswersError, readAnswers } from './answers.ts';
import { askAnswers, CancelledError } from './ask.ts';
import { carryOut, describe, type Prepared, prepare } from './setup.ts';
import { type Language, type Say, sayIn } from './texts.ts';

interface Flags {
  readonly file?: string;
  readonly yes?: boolean;
  readonly check?: boolean;
  readonly lang: Language;
}

const isChinese = /^zh/i.test(process.env['LC_ALL'] || process.env['LANG'] || '');

const command = new Command('npm run setup --')
  .description('Asks what a stage needs, checks it, writes its settings and its two secrets.')
  .option('--file <answers.yml>', 'take the answers from a file, - is standard input')
  .option('--yes', 'write without asking once more')
  .option('--check', 'only check: no AWS account is needed and nothing is sent')
  .addOption(
    new Option('--lang <language>', 'language of the questions')
      .choices(['en', 'zh'])
      .default(isChinese ? 'zh' : 'en'),
  );

const clientOf = ({ region }: Answers) => new SecretsManagerClient({ region });

const settingsPathOf = ({ stage }: Answers) =>
  join(
    resolve(import.meta.dirname, '..', process.env['SETTINGS_DIRECTORY'] ?? '.'),
    `params.${stage}.yml`,
  );

/** Answers that can work, with what would be written; undefined when nobody can be asked again. */
async function collect(flags: Flags, say: Say): Promise<[Answers, Prepared] | undefined> {
  let answers: Partial<Answers> = {};
  for (;;) {
    const complete = flags.file ? readAnswers(flags.file) : await askAnswers(say, answers);
    answers = complete;
    const client = flags.check ? undefined : clientOf(complete);
    const prepared = await prepare(complete, client, Date.now());
    if (prepared.faults.length === 0) {
      return [complete, prepared];
    }
    log.error([say('wrong'), ...prepared.faults].join('\n'));
    if (flags.file || !(await isAgreed(say('again')))) {
      return undefined;
    }
  }
}

async function isAgreed(message: string): Promise<boolean> {
  const answer = await confirm({ message });
  return !isCancel(answer) && answer;
}

async function run(flags: Flags): Promise<number> {
  const say = sayIn(flags.lang);
  if (!process.stdin.isTTY && !(flags.file && (flags.yes || flags.check))) {
    throw new AnswersError(say('terminal'));
  }
  intro(say('title'));
  const collected = await collect(flags, say);
  if (collected === undefined) {
    return 1;
  }
  const [answers, prepared] = collected;
  const { certificate, stored } = prepared;
  const left = certificate ? [`${certificate.daysLeft} ${say('daysLeft')}`] : [];
  note([...describe(answers, prepared), ...left].join('\n'), say('right'));
  if (flags.check) {
    outro(say('checked'));
    return 0;
  }
  if (!flags.yes && !(await isAgreed(say('send')))) {
    outro(say('cancelled'));
    return 2;
  }
  const path = settingsPathOf(answers);
  await carryOut(answers, prepared, clientOf(answers), path);
  const kind = say(stored.merchant.exists ? 'newVersion' : 'created');
  log.success(`${say('written')} ${path}, mini-program, merchant (${kind})`);
  outro(`${say('next')} npx serverless deploy --stage ${answers.stage}`);
  return 0;
}

try {
  process.exitCode = await run(command.parse().opts<Flags>());
} catch (error) {
  if (error instanceof CancelledError) {
    process.exitCode = 2;
  } else {
    // AWS says who may do what, and never a value that was sent.
    log.error(error instanceof Error ? error.message : 'setup failed');
    process.exitCode = 1;
  }
}
