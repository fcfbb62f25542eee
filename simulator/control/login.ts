/** The part of the control API about logging in: codes, and whom those of the developer tools stand for. */
import { type Body, ControlError, readUser } from './input.ts';
import { FOREIGN_CODE_ADVICE } from '../weixin/foreign-code.ts';
import type { Wechat } from '../wechat.ts';

export function login({ users, messages }: Wechat, body: Body) {
  const user = readUser(body);
  const code = users.issueCode(user);
  messages.add({
    from: `phone of ${user}`,
    to: 'wechat',
    kind: 'login',
    method: 'CALL',
    path: 'wx.login',
    request: { headers: {}, body: '' },
    response: { status: 200, headers: {}, body: JSON.stringify({ code }) },
  });
  return { code };
}

export function showLoginCode({ users }: Wechat, _: Body, code: string) {
  const state = users.stateOf(code);
  return state === 'unknown' ? { state, advice: FOREIGN_CODE_ADVICE } : { state };
}

export const showDevtoolsBuyer = ({ devtools }: Wechat) => ({ user: devtools.buyer ?? null });

export function setDevtoolsBuyer(wechat: Wechat, body: Body) {
  if (body['user'] === undefined) {
    throw new ControlError(400, 'MISSING_FIELD', '"user" is needed: a name, or null for nobody');
  }
  wechat.devtools.buyer = body['user'] === null ? undefined : readUser(body);
  return showDevtoolsBuyer(wechat);
}
