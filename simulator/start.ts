/** Starts the simulator inside this process: two hosts, one WeChat; or one without sockets. */
import { answerCode2Session } from './weixin/code2session.ts';
import { answerControl } from './control/api.ts';
import {
  assertMerchant,
  type MerchantV2,
  readMerchantFile,
  readWechatpayKeysFile,
  type WechatpayKeys,
} from './book/credentials.ts';
import { hintAtAddress } from './host/nearest-address.ts';
import {
  answerError,
  listen,
  type Listener,
  type ListenOptions,
  type RawRequest,
  type Reply,
  type Request,
  toRequest,
} from './host/http.ts';
import { refuseCertificate } from './host/client-certificate.ts';
import { answerHome } from './control/home.ts';
import { answerPage, isPagePath, type PageOptions } from './page/page.ts';
import { answerPayApi, isPayPath } from './v2/api.ts';
import { answerV3Api } from './v3/api.ts';
import { readTlsCredentials } from './book/tls-credentials.ts';
import type { VerificationMode } from './book/wechat-keys.ts';
import { machine } from './surroundings/machine.ts';
import type { HttpClient, Surroundings } from './surroundings/surroundings.ts';
import { openWechat, type Wechat } from './wechat.ts';

export interface OpenOptions {
  /** Path of a `merchant.json`, or its content. */
  merchantFile?: string;
  merchant?: MerchantV2;
  /** WeChat's private keys, as a path or as values; without them there is no API v3. */
  wechatpayKeysFile?: string;
  wechatpayKeys?: WechatpayKeys;
  /** The book's file; in memory without it. */
  dbPath?: string;
  seed?: string;
  /** Which key signs what, whatever the book says; without it the book's mode, `public-key` in a new one. */
  verification?: VerificationMode;
  /** False: no amount chooses what happens; without it as the book says, true in a new one. */
  priceList?: boolean;
  /** Where the merchant's API listens, for the page at `/`. */
  apiUrl?: string;
  /** Who logs in with a code of WeChat's developer tools; nobody without it. */
  devtoolsBuyer?: string;
  /** Time, randomness, timers, keys and calls to the merchant; this machine's own without it. */
  surroundings?: Surroundings;
}

export interface SimulatorOptions extends OpenOptions {
  /** 0 or absent: a free one. */
  port?: number;
  backupPort?: number;
  /** For calls with a client certificate; absent: plain http only. 0: a free one, as for the backup host. */
  tlsPort?: number;
}

export interface OpenSimulator {
  readonly seed: string;
  /**
   * Answers one request as the HTTP server does, without a socket. How long an answer is to be
   * delayed (`delayMs`), that it never comes (`hold`) and that the connection is cut (`drop`) are
   * the caller's to act out.
   */
  handle(request: RawRequest): Promise<Reply>;
  stop(): Promise<void>;
}

export interface Simulator {
  readonly url: string;
  readonly backupUrl: string;
  /** The same two hosts over TLS, and the authority of their certificate in PEM. */
  readonly tls?: { readonly url: string; readonly backupUrl: string; readonly authority: string };
  readonly seed: string;
  stop(): Promise<void>;
}

function answer(wechat: Wechat, request: Request, page: PageOptions): Reply | Promise<Reply> {
  const { path } = request;
  if (path === '/_simulator') {
    return answerHome(wechat, request);
  }
  if (path.startsWith('/_simulator/')) {
    return answerControl(wechat, request);
  }
  if (isPagePath(path)) {
    return answerPage(request, page);
  }
  const isCode2Session = path === '/sns/jscode2session';
  const isV3 = path.startsWith('/v3/');
  if (!isCode2Session && !isV3 && !isPayPath(path)) {
    return refuseAddress(wechat, request);
  }
  const barred = isCode2Session ? undefined : refuseCertificate(wechat, request);
  if (barred) {
    return barred;
  }
  if (request.host === 'primary' && wechat.faults.take('host')) {
    wechat.messages.add({
      from: 'merchant',
      to: 'wechat',
      kind: path,
      method: request.method,
      path: request.url,
      request: { headers: request.headers, body: request.body.toString('utf8') },
      fault: 'down',
      note: 'the primary host is down',
    });
    return 'drop';
  }
  if (isV3) {
    return answerV3Api(wechat, request);
  }
  return isCode2Session ? answerCode2Session(wechat, request) : answerPayApi(wechat, request);
}

/** The hint is in the answer and in the message log: who looks for a lost call looks there. */
function refuseAddress({ messages }: Wechat, request: Request): Reply {
  const { method, path, url, headers, body } = request;
  const hint = hintAtAddress(method, path) ?? 'GET /_simulator lists what it does';
  const refused = answerError(
    404,
    'UNKNOWN_ADDRESS',
    `the simulator does not serve ${path}: ${hint}`,
  );
  messages.add({
    from: 'merchant',
    to: 'wechat',
    kind: path,
    method,
    path: url,
    request: { headers, body: body.toString('utf8') },
    response: refused,
    note: `not served: ${hint}`,
  });
  return refused;
}

async function readCredentials(options: OpenOptions) {
  const { merchantFile, wechatpayKeysFile } = options;
  const merchant =
    merchantFile === undefined
      ? assertMerchant(options.merchant, 'merchant')
      : await readMerchantFile(merchantFile);
  const wechatpayKeys =
    wechatpayKeysFile === undefined
      ? options.wechatpayKeys
      : await readWechatpayKeysFile(wechatpayKeysFile);
  return { merchant, wechatpayKeys };
}

async function open(options: OpenOptions) {
  const { surroundings = machine, apiUrl } = options;
  const seed = options.seed ?? surroundings.randomBytes(6).toString('hex');
  const { merchant, wechatpayKeys } = await readCredentials(options);
  const wechat = openWechat(
    merchant,
    wechatpayKeys,
    seed,
    surroundings,
    options.dbPath,
    options.verification,
  );
  wechat.devtools.buyer = options.devtoolsBuyer;
  if (options.priceList !== undefined) {
    wechat.prices.setEnabled(options.priceList);
  }
  const client: HttpClient = surroundings.openHttpClient();
  return {
    seed,
    handle: (request: Request) =>
      answer(wechat, request, { apiUrl, client, nowMs: surroundings.nowMs }),
    readTls: async () => readTlsCredentials(wechat.book, surroundings),
    wake: () => wechat.notifier.wake(),
    stop: async () => {
      client.close();
      await wechat.notifier.stop();
      wechat.book.close();
    },
  };
}

/** Opens no port. What was pending in the book goes out again at once. */
export async function openSimulator(options: OpenOptions): Promise<OpenSimulator> {
  const { seed, handle, wake, stop } = await open(options);
  wake();
  return {
    seed,
    async handle(raw) {
      const request = toRequest(raw);
      return request ? handle(request) : answerError(400, 'INVALID_ADDRESS', 'not an address');
    },
    stop,
  };
}

/** Listens on loopback; what was pending in the book goes out again at once. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { port = 0, backupPort = 0, tlsPort, surroundings = machine } = options;
  const { startTimer } = surroundings;
  const { seed, handle, readTls, wake, stop } = await open(options);
  const listeners: Listener[] = [];
  const end = async () => {
    await Promise.all(listeners.map((one) => one.stop()));
    await stop();
  };
  const add = async (host: Request['host'], at: number, tls?: ListenOptions['tls']) => {
    const secured = tls === undefined ? {} : { tls };
    const listener = await listen({ host, port: at, handle, startTimer, ...secured });
    listeners.push(listener);
    return listener.url;
  };
  try {
    const url = await add('primary', port);
    const backupUrl = await add('backup', backupPort);
    const tls = tlsPort === undefined ? undefined : await readTls();
    const secured = tls && {
      url: await add('primary', tlsPort ?? 0, tls),
      backupUrl: await add('backup', 0, tls),
      authority: tls.authority,
    };
    wake();
    return { url, backupUrl, ...(secured ? { tls: secured } : {}), seed, stop: end };
  } catch (error) {
    await end();
    throw error;
  }
}
