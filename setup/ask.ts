/** The questions, one after the other, in a terminal. A key is never shown. */
import { existsSync, statSync } from 'node:fs';
import { cancel, isCancel, password, select, text } from '@clack/prompts';
import type { Answers } from './answers.ts';
import type { Say, TextName } from './texts.ts';

/** Whoever answers went away: nothing was sent. */
export class CancelledError extends Error {}

function answered<T>(answer: T, say: Say): Exclude<T, symbol> {
  if (isCancel(answer)) {
    cancel(say('cancelled'));
    throw new CancelledError();
  }
  return answer as Exclude<T, symbol>;
}

const isFolder = (path: string | undefined) =>
  !path || (existsSync(path) && statSync(path).isDirectory());

/** Asks for everything; `before` are the answers of the last round. */
export async function askAnswers(say: Say, before: Partial<Answers>): Promise<Answers> {
  const ask = async (name: TextName & keyof Answers, fallback = '', isRequired = false) =>
    answered(
      await text({
        message: say(name),
        initialValue: before[name] ?? fallback,
        validate: (value) => {
          const fits =
            name === 'certificateFolder' ? isFolder(value) : !isRequired || Boolean(value);
          return fits ? undefined : say(name);
        },
      }),
      say,
    ) ?? '';
  const askKey = async (name: TextName & keyof Answers) =>
    answered(await password({ message: `${say(name)} (${say('kept')})` }), say) || before[name];

  const stage = await ask('stage', 'production', true);
  const region = await ask('region', 'ap-southeast-1', true);
  const apiVersion = answered(
    await select({
      message: say('apiVersion'),
      options: [{ value: 'v3' as const }, { value: 'v2' as const }],
      initialValue: before.apiVersion ?? 'v3',
    }),
    say,
  );
  const appid = await ask('appid', '', true);
  const appSecret = await askKey('appSecret');
  const mchid = await ask('mchid', '', true);
  const subMchid = await ask('subMchid');
  const apiV2Key = await askKey('apiV2Key');
  const apiV3Key = await askKey('apiV3Key');
  const certificateFolder = await ask('certificateFolder');
  const wechatpayPublicKeyId = await ask('wechatpayPublicKeyId');
  const domainName = await ask('domainName');
  const certificateArn = domainName ? await ask('certificateArn', '', true) : '';
  const alarmEmail = await ask('alarmEmail');
  return {
    ...before,
    stage,
    region,
    apiVersion,
    appid,
    appSecret,
    mchid,
    subMchid,
    apiV2Key,
    apiV3Key,
    certificateFolder,
    wechatpayPublicKeyId,
    domainName,
    certificateArn,
    alarmEmail,
  };
}
