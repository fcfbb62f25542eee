/** `/sns/jscode2session` of `api.weixin.qq.com`: a login code becomes an openid and a session_key. */
import type { Answer, Reply, Request } from '../host/http.ts';
import { describeAnswer, type Message } from '../host/messages.ts';
import { isSpoiling, spoil } from '../host/spoil.ts';
import type { Service } from '../host/service.ts';
import { FOREIGN_CODE_ADVICE, takeForeignCode } from './foreign-code.ts';

const TEXTS: Record<string, string> = {
  '-1': 'system error',
  '40001': 'invalid credential, access_token is invalid or not latest',
  '40002': 'invalid grant_type',
  '40013': 'invalid appid',
  '40029': 'invalid code',
  '40066': 'invalid url',
  '40125': 'invalid appsecret',
  '40163': 'code been used',
  '40164': 'invalid ip 127.0.0.1, not in whitelist',
  '40226': 'code blocked',
  '40243': 'AppSecret has been frozen',
  '41002': 'appid missing',
  '41004': 'appsecret missing',
  '41008': 'missing code',
  '43001': 'require GET method',
  '43003': 'require https',
  '44990': 'reach max api frequency limit',
  '45009': 'reach max api daily quota limit',
  '45011': 'api minute-quota reach limit, must slower, retry next minute',
  '45035': 'access clientip is not registered, not in ip-white-list',
  '48001': 'api unauthorized',
  '48004': 'api forbidden for irregularities, view detail on mp.weixin.qq.com',
  '50001': 'user unauthorized',
  '50002': 'user limited',
  '61004': 'access clientip is not registered',
};

export const CODE2SESSION_ERRCODES = Object.keys(TEXTS).map(Number);
const SLOW_ANSWER_SECONDS = 3;

/** WeChat's support finds a call by its rid. */
function createRid({ clock, randomBytes }: Pick<Service, 'clock' | 'randomBytes'>): string {
  const seconds = Math.floor(clock.now() / 1000).toString(16);
  return `${seconds}-${randomBytes(4).toString('hex')}-${randomBytes(4).toString('hex')}`;
}

/** `hint` is the simulator's own; WeChat says no more than the errcode. */
type Result =
  | { errcode: number; text?: string; hint?: string }
  | { session_key: string; openid: string };

/** Answers one exchange; a code is used up by it. The content type is `text/plain`, as in production. */
export function answerCode2Session(service: Service, request: Request): Reply {
  const { faults, messages } = service;
  const message = messages.add({
    from: 'merchant',
    to: 'wechat',
    kind: 'code2session',
    method: request.method,
    path: request.url,
    request: { headers: request.headers, body: request.body.toString('utf8') },
  });
  const answer = (result: Result): Answer => {
    const answered = answerResult(result, service);
    message.response = answered;
    return answered;
  };
  const fault = faults.take('code2session');
  if (fault) {
    message.fault = fault.kind;
  }
  if (fault && isSpoiling(fault)) {
    const spoilt = spoil(fault, () => answer(exchange(service, request, message)), message);
    message.response = describeAnswer(spoilt);
    return spoilt;
  }
  switch (fault?.kind) {
    case 'error':
      return answer({
        errcode: Number(fault.code ?? '-1'),
        ...(fault.text === undefined ? {} : { text: fault.text }),
      });
    case 'drop':
      message.note = 'the connection was cut';
      return 'drop';
    case 'timeout-before':
      message.note = 'no answer was sent; the code is not used up';
      return 'hold';
    case 'timeout-after':
      exchange(service, request, message);
      message.note = 'no answer was sent; the code is used up';
      return 'hold';
    case 'late':
      return {
        ...answer(exchange(service, request, message)),
        delayMs: (fault.seconds ?? SLOW_ANSWER_SECONDS) * 1000,
      };
    default:
      return answer(exchange(service, request, message));
  }
}

function answerResult(result: Result, service: Service): Answer {
  const body =
    'errcode' in result
      ? {
          errcode: result.errcode,
          errmsg:
            `${result.text ?? TEXTS[result.errcode] ?? 'system error'}, rid: ${createRid(service)}` +
            (result.hint === undefined ? '' : `, hint: ${result.hint}`),
        }
      : result;
  return {
    status: 200,
    headers: { 'Content-Type': 'text/plain' },
    body: JSON.stringify(body),
  };
}

function exchange(service: Service, { method, query }: Request, message: Message): Result {
  if (method !== 'GET') {
    return { errcode: 43001 };
  }
  const appid = query.get('appid');
  const secret = query.get('secret');
  const code = query.get('js_code');
  if (!appid) {
    return { errcode: 41002 };
  }
  if (!secret) {
    return { errcode: 41004 };
  }
  const program = findMiniProgram(service, appid);
  if (!program) {
    return { errcode: 40013 };
  }
  if (secret !== program.secret) {
    return { errcode: 40125 };
  }
  if (query.get('grant_type') !== 'authorization_code') {
    return { errcode: 40002 };
  }
  if (!code) {
    return { errcode: 41008 };
  }
  const exchanged = exchangeCode(service, code, message);
  return 'errcode' in exchanged
    ? exchanged
    : {
        session_key: service.randomBytes(16).toString('base64'),
        openid: program.openidOf(exchanged.user),
      };
}

function exchangeCode(
  service: Service,
  code: string,
  message: Message,
): { user: string } | { errcode: number; hint?: string } {
  const exchanged = service.users.exchangeCode(code);
  if (exchanged.result === 'ok') {
    return { user: exchanged.user };
  }
  if (exchanged.result !== 'unknown') {
    return { errcode: exchanged.result === 'used' ? 40163 : 40029 };
  }
  const user = takeForeignCode(service, code);
  if (user !== undefined) {
    message.note = `the simulator did not issue this code: it stands for ${user} (devtools-buyer)`;
    return { user };
  }
  message.note = FOREIGN_CODE_ADVICE.en;
  return { errcode: 40029, hint: FOREIGN_CODE_ADVICE.en };
}

/** The merchant's own mini-program, or one of a sub-merchant. */
function findMiniProgram({ merchant, account, users }: Service, appid: string) {
  if (appid === merchant.appid) {
    return { secret: merchant.appSecret, openidOf: (user: string) => users.openidOf(user) };
  }
  const sub = account.subMerchants().find(({ subAppid }) => subAppid === appid);
  return (
    sub && { secret: sub.subAppSecret, openidOf: (user: string) => users.subOpenidOf(user, appid) }
  );
}
