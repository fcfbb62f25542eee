/**
 * What an `errcode` of `code2session` means, by who can do something about it.
 *
 * Source: developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session and the
 * general table of return codes (全局返回码) beside it.
 */
import { ConfigError, LoginError, type LoginErrorCode, type WhereToMend } from '../errors.ts';

/** What the buyer's client can do: `wx.login` again, wait, or nothing. */
const BUYERS: ReadonlyMap<number, LoginErrorCode> = new Map([
  [-1, 'WEIXIN_BUSY'],
  [40029, 'LOGIN_CODE_INVALID'],
  [41008, 'LOGIN_CODE_INVALID'],
  [40163, 'LOGIN_CODE_USED'],
  [40226, 'LOGIN_USER_BLOCKED'],
  // A minute's quota, and so many a second; a day's quota is the owner's matter.
  [45011, 'LOGIN_TOO_OFTEN'],
  [44990, 'LOGIN_TOO_OFTEN'],
]);

interface OwnersMatter extends Partial<WhereToMend> {
  readonly what: string;
  readonly consolePage: string;
}

const SETTINGS = 'mp.weixin.qq.com → 开发管理 → 开发设置';
const MESSAGES = 'mp.weixin.qq.com → 通知中心';
const secret = 'mini-program';

const APPID: OwnersMatter = {
  what: 'appid in the mini-program secret is wrong',
  secret,
  field: 'appid',
  consolePage: `${SETTINGS} → 开发者ID → AppID(小程序ID)`,
};
const APP_SECRET: OwnersMatter = {
  what: 'appSecret in the mini-program secret is wrong or was reset',
  secret,
  field: 'appSecret',
  consolePage: `${SETTINGS} → 开发者ID → AppSecret(小程序密钥) → 重置`,
};
const FROZEN_SECRET: OwnersMatter = {
  ...APP_SECRET,
  what: 'the AppSecret is frozen: unfreeze it, or reset it and put the new one into the secret',
  consolePage: `${SETTINGS} → 开发者ID → AppSecret(小程序密钥) → 解冻`,
};
const IP_LIST: OwnersMatter = {
  what: 'the IP allow-list does not have the address of this function: give it a fixed one and list it, or switch the list off',
  consolePage: `${SETTINGS} → IP白名单`,
};
const IP_CONFIRMATION: OwnersMatter = {
  what: "an administrator of the mini-program must confirm this function's address, or has refused it",
  consolePage: MESSAGES,
};
const DAILY_QUOTA: OwnersMatter = {
  what: "the day's quota of this interface is used up: reset it, or apply for more",
  consolePage: 'mp.weixin.qq.com → 开发管理 → 接口设置 → 接口调用额度',
};
const BANNED: OwnersMatter = {
  what: 'WeChat has taken this interface away from the mini-program, or never gave it',
  consolePage: MESSAGES,
};
const FROZEN_ACCOUNT: OwnersMatter = {
  what: 'the account of the mini-program is frozen, restricted or closed',
  consolePage: MESSAGES,
};

/** What lasts until the mini-program's owner mends it. */
const OWNERS: ReadonlyMap<number, OwnersMatter> = new Map([
  [40013, APPID],
  [41002, APPID],
  [40001, APP_SECRET],
  [40125, APP_SECRET],
  [41004, APP_SECRET],
  [40243, FROZEN_SECRET],
  [40164, IP_LIST],
  [61004, IP_LIST],
  [89501, IP_CONFIRMATION],
  [89503, IP_CONFIRMATION],
  [89506, IP_CONFIRMATION],
  [89507, IP_CONFIRMATION],
  [45009, DAILY_QUOTA],
  [48001, BANNED],
  [48004, BANNED],
  [50001, BANNED],
  [50002, FROZEN_ACCOUNT],
  [50007, FROZEN_ACCOUNT],
]);

/** The error that a code stands for; a code that is not known is taken for a passing one. */
export function loginRefusal(errcode: number, errmsg: unknown): LoginError | ConfigError {
  const reason = `code2session answered ${errcode} (${requestTrace(errmsg)})`;
  const matter = OWNERS.get(errcode);
  if (matter) {
    const { what, ...where } = matter;
    return new ConfigError(`${reason}: ${what}; ${where.consolePage}`, undefined, where);
  }
  return new LoginError(BUYERS.get(errcode) ?? 'WEIXIN_BUSY', reason);
}

/** WeChat support asks for the `rid`; the rest of errmsg may quote what was sent. */
function requestTrace(errmsg: unknown): string {
  const found = typeof errmsg === 'string' ? /rid:\s*([\w-]{1,64})/.exec(errmsg) : undefined;
  return found?.[0] ?? 'no rid';
}
