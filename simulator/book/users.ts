/** People with WeChat: a free name each, an openid under every appid, one-time login codes. */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../surroundings/surroundings.ts';
import type { Book } from './book.ts';
import type { Clock } from './clock.ts';
import { randomText } from './random.ts';

const CODE_LIFETIME_MS = 5 * 60 * 1000;

export type CodeState = 'good' | 'unknown' | 'used' | 'expired';
export type CodeExchange = { result: 'ok'; user: string } | { result: Exclude<CodeState, 'good'> };

export interface Users {
  /** The same name always has the same openid under one appid; the first use creates the person. */
  openidOf(name: string): string;
  /** The openid under the appid of a sub-merchant (sub_openid). */
  subOpenidOf(name: string, subAppid: string): string;
  nameOf(openid: string): string | undefined;
  nameOfSubOpenid(openid: string, subAppid: string): string | undefined;
  /** A code of `wx.login`: good once, for 5 minutes. */
  issueCode(name: string): string;
  exchangeCode(code: string): CodeExchange;
  stateOf(code: string): CodeState;
  /** A code from elsewhere that somebody logged in with: it is used up from now on. */
  keepUsedCode(code: string, name: string): void;
}

function deriveOpenid(appid: string, name: string): string {
  const digest = createHash('sha256').update(`${appid}\n${name}`).digest('base64url');
  return `o${digest.slice(0, 27)}`;
}

export function createUsers(
  book: Book,
  clock: Clock,
  appid: string,
  randomBytes: RandomBytes,
): Users {
  const { database } = book;
  const insertUser = database.prepare('INSERT OR IGNORE INTO users (openid, name) VALUES (?, ?)');
  const selectName = database.prepare('SELECT name FROM users WHERE openid = ?');
  const insertSubOpenid = database.prepare(
    'INSERT OR IGNORE INTO sub_openids (openid, appid, name) VALUES (?, ?, ?)',
  );
  const selectSubName = database.prepare(
    'SELECT name FROM sub_openids WHERE openid = ? AND appid = ?',
  );
  const insertCode = database.prepare(
    'INSERT INTO codes (code, openid, expires_at) VALUES (?, ?, ?)',
  );
  const selectCode = database.prepare(
    'SELECT openid, expires_at, used_at FROM codes WHERE code = ?',
  );
  const useCode = database.prepare(
    'UPDATE codes SET used_at = ? WHERE code = ? AND used_at IS NULL',
  );
  const known = new Map<string, string>();

  const openidOf = (name: string) => {
    let openid = known.get(name);
    if (openid === undefined) {
      openid = deriveOpenid(appid, name);
      insertUser.run(openid, name);
      known.set(name, openid);
    }
    return openid;
  };
  const nameOf = (openid: string) => selectName.get(openid)?.['name']?.toString();
  const look = (
    code: string,
  ): { state: 'good'; user: string } | { state: Exclude<CodeState, 'good'>; user?: never } => {
    const row = selectCode.get(code);
    const user = row && nameOf(String(row['openid']));
    if (!row || user === undefined) {
      return { state: 'unknown' };
    }
    if (row['used_at'] !== null) {
      return { state: 'used' };
    }
    return Number(row['expires_at']) <= clock.now()
      ? { state: 'expired' }
      : { state: 'good', user };
  };

  return {
    openidOf,
    subOpenidOf(name, subAppid) {
      const openid = deriveOpenid(subAppid, name);
      insertSubOpenid.run(openid, subAppid, name);
      return openid;
    },
    nameOf,
    nameOfSubOpenid: (openid, subAppid) =>
      selectSubName.get(openid, subAppid)?.['name']?.toString(),
    issueCode(name) {
      const code = `0${randomText(randomBytes, 31)}`;
      insertCode.run(code, openidOf(name), clock.now() + CODE_LIFETIME_MS);
      return code;
    },
    exchangeCode(code) {
      const { state, user } = look(code);
      if (state !== 'good') {
        return { result: state };
      }
      useCode.run(clock.now(), code);
      return { result: 'ok', user };
    },
    stateOf: (code) => look(code).state,
    keepUsedCode(code, name) {
      insertCode.run(code, openidOf(name), clock.now() + CODE_LIFETIME_MS);
      useCode.run(clock.now(), code);
    },
  };
}
