import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { openMiniProgramSecret } from '../../lib/secrets/mini-program.ts';
import { STORED_ID, storedSecret } from '../support/stored-secret.ts';

const miniProgram = {
  appid: 'wx8888888888888888',
  appSecret: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  sessionKey: 's'.repeat(32),
};

const read = (content: object) =>
  openMiniProgramSecret(
    storedSecret(content),
    { miniProgramSecretId: STORED_ID },
    () => 0,
  ).current();

describe('the secret of the mini-program', () => {
  test('is taken with what must be there', async () => {
    expect(await read(miniProgram)).toEqual(miniProgram);
  });

  test('is taken with a key for quotes, and without what nobody knows', async () => {
    const quoted = { ...miniProgram, quoteKey: 'q'.repeat(32) };

    expect(await read({ ...quoted, note: 'from the console' })).toEqual(quoted);
  });

  test.each<[string, unknown, string]>([
    ['appid', '8888888888888888', 'has 16 characters'],
    ['appid', '1900000109', 'looks like a merchant number'],
    ['appid', 'gh_0123456789ab', 'is the original id'],
    ['appid', 'WX8888888888888888', 'does not begin with wx in lower case'],
    ['appid', 'wx8888', 'has 6 characters'],
    ['appid', ' wx8888888888888888', 'has blanks or line breaks at its ends'],
    ['appid', 'wx88888888 88888888', 'has blanks inside'],
    ['appid', '\ufeffwx8888888888888888', 'has invisible characters'],
    ['appid', 'wx８８８８８８８８８８８８８８８８', 'has full-width characters'],
    ['appid', '"wx8888888888888888"', 'has quotes of its own'],
    ['appid', '<appid>', 'is still a placeholder'],
    ['appid', 7, 'is a number, not a text in quotes'],
    ['appid', '', 'is empty'],
    ['appid', undefined, 'is missing'],
    ['appSecret', 's3cret', 'has 6 characters'],
    ['appSecret', miniProgram.appid + '_', 'looks like an appid'],
    ['appSecret', `${miniProgram.appSecret}é`, 'has characters that are not ASCII'],
    ['appSecret', `${miniProgram.appSecret}\n`, 'has blanks or line breaks at its ends'],
    ['appSecret', null, 'is null, not a text in quotes'],
    ['appSecret', ['x'], 'is a list, not a text in quotes'],
    ['sessionKey', 's3cret'.repeat(5), 'has 30 characters'],
    ['quoteKey', 's3cret', 'has 6 characters'],
    ['quoteKey', miniProgram.sessionKey, 'is the same as sessionKey'],
  ])('is refused by the name of %s for %j: %s', async (name, value, fault) => {
    const error = await read({ ...miniProgram, [name]: value }).then(
      () => undefined,
      (cause: unknown) => cause,
    );

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({
      message: expect.stringMatching(
        new RegExp(
          `^the secret ${STORED_ID} has a missing or malformed field: ${name} \\(${name} ${fault}.*; wanted: .+\\)$`,
        ),
      ),
      parameters: { secret: STORED_ID, field: name },
      cause: undefined,
    });
    const quoted = String(value).trim();
    expect(quoted.length > 7 && (error as Error).message.includes(quoted)).toBe(false);
  });

  test.each(['appId', 'app_id', 'APPID'])('says when %s stands for appid', async (name) => {
    const { appid, ...rest } = miniProgram;

    await expect(read({ ...rest, [name]: appid })).rejects.toThrow(
      'appid is there under another spelling: capitals and _ count; wanted: AppID',
    );
  });

  test('does not repeat a name, where a key may have been put', async () => {
    await expect(read({ [miniProgram.appSecret]: 'appSecret' })).rejects.not.toThrow(
      miniProgram.appSecret,
    );
  });
});
