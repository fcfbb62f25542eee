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

  test.each<[string, object]>([
    ['appid', { appid: '8888888888888888' }],
    ['appSecret', { appSecret: 's3cret' }],
    ['appSecret', { appSecret: `${miniProgram.appSecret}&x` }],
    ['sessionKey', { sessionKey: 's3cret'.repeat(5) }],
    ['quoteKey', { quoteKey: 's3cret' }],
    ['quoteKey', { quoteKey: miniProgram.sessionKey }],
  ])('is refused by the name of %s', async (fields, change) => {
    await expect(read({ ...miniProgram, ...change })).rejects.toThrow(
      new ConfigError(`the secret ${STORED_ID} has a missing or malformed field: ${fields}`),
    );
  });
});
