/** Starts the simulator inside this process: two hosts, one WeChat. */
import { randomBytes } from 'node:crypto';
import { answerCode2Session } from './weixin/code2session.ts';
import { answerControl } from './control/api.ts';
import {
  assertMerchant,
  type MerchantV2,
  readMerchantFile,
  readWechatpayKeysFile,
  type WechatpayKeys,
} from './book/credentials.ts';
import { answerError, listen, type Reply, type Request } from './host/http.ts';
import { answerHome } from './control/home.ts';
import { answerPage, isPagePath } from './page/page.ts';
import { answerPayApi, isPayPath } from './v2/api.ts';
import { answerV3Api } from './v3/api.ts';
import { openWechat, type Wechat } from './wechat.ts';

export interface SimulatorOptions {
  /** Path of a `merchant.json`, or its content. */
  merchantFile?: string;
  merchant?: MerchantV2;
  /** WeChat's private keys, as a path or as values; without them there is no API v3. */
  wechatpayKeysFile?: string;
  wechatpayKeys?: WechatpayKeys;
  /** The book's file; in memory without it. */
  dbPath?: string;
  /** 0 or absent: a free one. */
  port?: number;
  backupPort?: number;
  seed?: string;
  /** Where the merchant's API listens, for the page at `/`. */
  apiUrl?: string;
}

export interface Simulator {
  readonly url: string;
  readonly backupUrl: string;
  readonly seed: string;
  stop(): Promise<void>;
}

function answer(
  wechat: Wechat,
  request: Request,
  apiUrl: string | undefined,
): Reply | Promise<Reply> {
  const { path } = request;
  if (path === '/_simulator') {
    return answerHome(wechat, request);
  }
  if (path.startsWith('/_simulator/')) {
    return answerControl(wechat, request);
  }
  if (isPagePath(path)) {
    return answerPage(request, { apiUrl });
  }
  const isCode2Session = path === '/sns/jscode2session';
  const isV3 = path.startsWith('/v3/');
  if (!isCode2Session && !isV3 && !isPayPath(path)) {
    return answerError(
      404,
      'UNKNOWN_ADDRESS',
      `the simulator does not serve ${path}; GET /_simulator lists what it does`,
    );
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

/** Listens on loopback; what was pending in the book goes out again at once. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { merchantFile, port = 0, backupPort = 0, dbPath } = options;
  const seed = options.seed ?? randomBytes(6).toString('hex');
  const merchant =
    merchantFile === undefined
      ? assertMerchant(options.merchant, 'merchant')
      : await readMerchantFile(merchantFile);
  const wechatpayKeys =
    options.wechatpayKeysFile === undefined
      ? options.wechatpayKeys
      : await readWechatpayKeysFile(options.wechatpayKeysFile);
  const wechat = openWechat(merchant, wechatpayKeys, seed, dbPath);
  const handle = (request: Request) => answer(wechat, request, options.apiUrl);
  try {
    const primary = await listen('primary', port, handle);
    const backup = await listen('backup', backupPort, handle).catch(async (error: unknown) => {
      await primary.stop();
      throw error;
    });
    wechat.notifier.wake();
    return {
      url: primary.url,
      backupUrl: backup.url,
      seed,
      async stop() {
        await Promise.all([primary.stop(), backup.stop()]);
        await wechat.notifier.stop();
        wechat.book.close();
      },
    };
  } catch (error) {
    await wechat.notifier.stop();
    wechat.book.close();
    throw error;
  }
}
