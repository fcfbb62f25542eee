/** The control API under `/_simulator`: what tests, the page and tools do to WeChat. JSON in and out. */
import { addFault, listFaults, removeFault, removeFaults } from './faults.ts';
import { BILL_FIELDS, forgetBills, plantBill, showBill } from './bill.ts';
import {
  type Body,
  ControlError,
  parseBody,
  readNumber,
  readUser,
  refuseUnknownFields,
} from './input.ts';
import {
  retireCertificate,
  rotateCertificate,
  setVerification,
  showCertificates,
  showVerification,
} from './keys.ts';
import { login, setDevtoolsBuyer, showDevtoolsBuyer, showLoginCode } from './login.ts';
import { changeMerchant, MERCHANT_SETTINGS, revokeCertificate, showMerchant } from './merchant.ts';
import {
  listOrders,
  payWithoutPhone,
  setTradeState,
  showOrder,
  showOrderOfPrepay,
} from './orders.ts';
import { endRefund, refundByHand, showRefund } from './refunds.ts';
import { setPriceList, showPriceList } from './price-list.ts';
import { PAYMENT_FIELDS } from './payment-wish.ts';
import { FaultRefusedError } from '../host/faults.ts';
import { type Answer, answerError, answerJson, type Request } from '../host/http.ts';
import { hasFailed } from '../host/messages.ts';
import { requestPayment } from '../phone/phone.ts';
import type { PaymentInput } from '../phone/result.ts';
import type { Wechat } from '../wechat.ts';

type Handler = (wechat: Wechat, body: Body, part: string, request: Request) => unknown;

/**
 * A page of the internet that the developer has open must not reach in here, nor one whose name
 * was made to lead to this machine (DNS rebinding): its Host is its own.
 */
function refuseForeignPages({ headers }: Request): void {
  const { origin, host = '' } = headers;
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)) {
    throw new ControlError(
      403,
      'FOREIGN_HOST',
      'the simulator answers under a name of this machine only',
    );
  }
  if (
    origin !== undefined &&
    !/^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(origin)
  ) {
    throw new ControlError(
      403,
      'FOREIGN_ORIGIN',
      `pages of ${origin} may not control the simulator`,
    );
  }
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ControlError(400, 'INVALID_ADDRESS', 'the address is not URL-encoded UTF-8');
  }
}

function pay(wechat: Wechat, body: Body) {
  const user = readUser(body);
  const { appId, cancel } = body;
  if (appId !== undefined && typeof appId !== 'string') {
    throw new ControlError(400, 'INVALID_FIELD', '"appId" must be a string');
  }
  if (cancel !== undefined && typeof cancel !== 'boolean') {
    throw new ControlError(400, 'INVALID_FIELD', '"cancel" must be true or false');
  }
  return requestPayment(wechat, { ...body, user } satisfies PaymentInput);
}

function showUser({ users, account }: Wechat, _: Body, user: string) {
  const subOpenids = account
    .subMerchants()
    .flatMap(({ subAppid }) => (subAppid ? [[subAppid, users.subOpenidOf(user, subAppid)]] : []));
  return {
    user: readUser({ user }),
    openid: users.openidOf(user),
    ...(subOpenids.length > 0 ? { subOpenids: Object.fromEntries(subOpenids) as object } : {}),
  };
}

const showClock: Handler = ({ clock }) => ({
  now: new Date(clock.now()).toISOString(),
  offsetSeconds: clock.offsetMs() / 1000,
});

async function moveClock(wechat: Wechat, body: Body) {
  const rule = 'a number of seconds, 0 or more';
  const seconds = readNumber(body, 'advanceSeconds', (n) => n >= 0 && n <= 1e9, rule);
  if (seconds === undefined) {
    throw new ControlError(400, 'MISSING_FIELD', '"advanceSeconds" is needed');
  }
  await wechat.notifier.moveClock(seconds * 1000);
  const { clock } = wechat;
  return { now: new Date(clock.now()).toISOString(), offsetSeconds: clock.offsetMs() / 1000 };
}

function listMessages({ messages }: Wechat, _body: Body, _part: string, { query }: Request) {
  refuseUnknownFields(Object.fromEntries(query), ['after', 'failed']);
  const failed = query.get('failed') ?? '0';
  if (failed !== '0' && failed !== '1') {
    throw new ControlError(400, 'INVALID_FIELD', '"failed" must be 1 or 0');
  }
  const after = Number(query.get('after') ?? '0');
  if (!Number.isSafeInteger(after) || after < 0) {
    throw new ControlError(400, 'INVALID_FIELD', '"after" must be the id of a message');
  }
  const listed = messages.list(after);
  return { messages: failed === '1' ? listed.filter(hasFailed) : listed };
}

const reset: Handler = ({ bills, book, clock, faults, messages, notifier }) => {
  book.empty();
  bills.clear();
  clock.reset();
  faults.clear();
  messages.clear();
  notifier.wake();
  return {};
};

const PAY_FIELDS = ['user', 'evenIfClosed', ...PAYMENT_FIELDS];
const CONSOLE_FIELDS = ['refundFen', 'notifyUrl', 'status'];
const FAULT_FIELDS = [
  'point',
  'kind',
  'rate',
  'times',
  'seconds',
  'code',
  'part',
  'signed',
  'text',
  'detail',
  'status',
];

/** `fields`: what the body may have, none by default; `any` where a phone ignores what it does not know. */
type Route = [method: string, path: RegExp, handle: Handler, fields?: readonly string[] | 'any'];

const ROUTES: Route[] = [
  ['POST', /^\/login$/, login, ['user']],
  ['GET', /^\/login-codes\/([^/]+)$/, showLoginCode],
  ['GET', /^\/devtools-buyer$/, showDevtoolsBuyer],
  ['POST', /^\/devtools-buyer$/, setDevtoolsBuyer, ['user']],
  ['POST', /^\/request-payment$/, pay, 'any'],
  ['GET', /^\/orders$/, listOrders],
  ['GET', /^\/orders\/([^/]+)$/, showOrder],
  ['GET', /^\/prepays\/([^/]+)$/, showOrderOfPrepay],
  ['POST', /^\/orders\/([^/]+)\/pay$/, payWithoutPhone, PAY_FIELDS],
  ['POST', /^\/orders\/([^/]+)\/state$/, setTradeState, ['tradeState']],
  ['POST', /^\/orders\/([^/]+)\/refund-in-console$/, refundByHand, CONSOLE_FIELDS],
  ['GET', /^\/refunds\/([^/]+)$/, showRefund],
  ['POST', /^\/refunds\/([^/]+)$/, endRefund, ['status']],
  ['GET', /^\/bill$/, showBill],
  ['POST', /^\/bill$/, plantBill, BILL_FIELDS],
  ['DELETE', /^\/bill$/, forgetBills],
  ['GET', /^\/merchant$/, showMerchant],
  ['POST', /^\/merchant$/, changeMerchant, MERCHANT_SETTINGS],
  ['DELETE', /^\/merchant\/certificates\/([^/]+)$/, revokeCertificate],
  ['GET', /^\/verification$/, showVerification],
  ['POST', /^\/verification$/, setVerification, ['mode', 'notificationShare']],
  ['GET', /^\/platform-certificates$/, showCertificates],
  ['POST', /^\/platform-certificates$/, rotateCertificate, ['share']],
  ['DELETE', /^\/platform-certificates\/([^/]+)$/, retireCertificate],
  ['GET', /^\/users\/([^/]+)$/, showUser],
  ['GET', /^\/faults$/, listFaults],
  ['POST', /^\/faults$/, addFault, FAULT_FIELDS],
  ['DELETE', /^\/faults$/, removeFaults],
  ['DELETE', /^\/faults\/([^/]+)$/, removeFault],
  ['GET', /^\/price-list$/, showPriceList],
  ['POST', /^\/price-list$/, setPriceList, ['enabled']],
  ['GET', /^\/clock$/, showClock],
  ['POST', /^\/clock$/, moveClock, ['advanceSeconds']],
  ['GET', /^\/messages$/, listMessages],
  ['POST', /^\/reset$/, reset],
];

function refuseMethod({ method, path }: Request, routes: readonly Route[]): ControlError {
  const possible = routes.map(([one]) => one).join(' or ');
  const text = `${method} ${path} is not possible: use ${possible}`;
  return new ControlError(405, 'METHOD_NOT_ALLOWED', text);
}

/** Answers a call whose path begins with `/_simulator`. */
export async function answerControl(wechat: Wechat, request: Request): Promise<Answer> {
  const path = request.path.slice('/_simulator'.length);
  try {
    refuseForeignPages(request);
    const routes = ROUTES.filter(([, pattern]) => pattern.test(path));
    const route = routes.find(([method]) => method === request.method);
    if (!route) {
      throw routes.length > 0
        ? refuseMethod(request, routes)
        : new ControlError(
            404,
            'UNKNOWN_ADDRESS',
            `no ${request.path}; GET /_simulator lists what there is`,
          );
    }
    const [, pattern, handle, fields = []] = route;
    const part = decodePart(pattern.exec(path)?.[1] ?? '');
    const body = parseBody(request);
    if (fields !== 'any') {
      refuseUnknownFields(body, fields);
    }
    return answerJson(200, await handle(wechat, body, part, request));
  } catch (error) {
    if (error instanceof ControlError) {
      return answerError(error.status, error.code, error.message);
    }
    if (error instanceof FaultRefusedError) {
      return answerError(400, error.code, error.message);
    }
    throw error;
  }
}
