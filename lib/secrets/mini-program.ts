/** The secret `<service>/<stage>/mini-program`. */
import * as v from 'valibot';
import type { Config } from '../runtime/config.ts';
import type { SecretsClient } from './client.ts';
import { appid, field, recogniseId } from './fields.ts';
import { parseSecret, type SecretSchema } from './parse-secret.ts';
import { openSecret, type VersionedSecret } from './versioned-secret.ts';

/** What the mini-program is: enough to log buyers in and to accept quotes, not to move money. */
export interface MiniProgramSecret {
  readonly appid: string;
  readonly appSecret: string;
  /** Signs session tokens (HS256). */
  readonly sessionKey: string;
  /** The merchant's own backend signs quotes with it (HS256). */
  readonly quoteKey?: string | undefined;
}

/** What each field has to be. */
const WANTED: Readonly<Record<keyof MiniProgramSecret, string>> = {
  appid: 'AppID(小程序ID), wx and 16 letters and digits',
  appSecret: 'AppSecret(小程序密钥), 32 letters and digits',
  sessionKey: 'a random text of 32 characters or more, your own',
  quoteKey: 'a random text of 32 characters or more, not that of sessionKey',
};

const hs256Key = v.pipe(
  v.string(),
  v.minLength(32, ({ input }) => `has ${input.length} characters`),
);

const miniProgramSecret: SecretSchema<MiniProgramSecret> = v.pipe(
  v.object({
    appid,
    appSecret: field(/^[0-9a-zA-Z]{16,64}$/, recogniseId),
    sessionKey: hs256Key,
    quoteKey: v.optional(hs256Key),
  }),
  // One key for both would let a quote pass as a login and a login as a quote.
  v.forward(
    v.check((secret) => secret.quoteKey !== secret.sessionKey, 'is the same as sessionKey'),
    ['quoteKey'],
  ),
);

/**
 * A mini-program's secret out of its text, for who writes one.
 *
 * @throws {ConfigError} naming every field that the functions would refuse, and no value.
 */
export const readMiniProgramSecret = (secretId: string, text: string): MiniProgramSecret =>
  parseSecret(secretId, text, miniProgramSecret, WANTED);

/** Does no I/O until its first use. */
export function openMiniProgramSecret(
  client: SecretsClient,
  { miniProgramSecretId }: Pick<Config, 'miniProgramSecretId'>,
  nowMs: () => number,
): VersionedSecret<MiniProgramSecret> {
  return openSecret(client, miniProgramSecretId, miniProgramSecret, { nowMs, wanted: WANTED });
}

/** The keys that a genuine quote may be signed with, the likeliest first; none in a shop without quotes. */
export async function* quoteKeysOf(
  miniProgram: VersionedSecret<MiniProgramSecret>,
): AsyncGenerator<string> {
  for await (const { quoteKey } of miniProgram.candidates()) {
    if (quoteKey) {
      yield quoteKey;
    }
  }
}
