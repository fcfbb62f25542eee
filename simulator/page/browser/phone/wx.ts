/** The `wx` of the phone in the page: what a shop's mini-program needs, with WeChat's results and errors. */
import { navigation } from './app.ts';
import { asyncApi, type Outcome } from './async-api.ts';
import { toText } from './expression-operators.ts';
import { hideToast, showModal, showToast } from './dialogs.ts';
import { setTitle } from './navigation-bar.ts';
import { requestPayment } from './payment.ts';
import { phoneText } from './phone-texts.ts';
import { post } from './post.ts';
import { sendRequest } from './request.ts';
import { openStorage } from './storage.ts';
import type { Phone, Wx, WxOptions } from './globals.ts';

export function createWx(phone: Phone): Wx {
  const storage = openStorage(phone.buyer);
  const known: Wx = {
    login: asyncApi('login', async () => {
      if (!phone.isOnline()) {
        return { fail: 'network is not available' };
      }
      const { code } = (await post('/_simulator/login', { user: phone.buyer })) as { code: string };
      return { ok: { code } };
    }),
    request: asyncApi('request', (options) => sendRequest(phone, options)),
    requestPayment: asyncApi('requestPayment', (options) => requestPayment(phone, options)),
    ...navigationApis(),
    ...dialogApis(),
    ...storage,
    setNavigationBarTitle: asyncApi('setNavigationBarTitle', ({ title }) => {
      setTitle(String(title));
      return { ok: {} };
    }),
    getNetworkType: asyncApi('getNetworkType', () => ({
      ok: { networkType: phone.isOnline() ? 'wifi' : 'none' },
    })),
    setClipboardData: asyncApi('setClipboardData', async ({ data }) => {
      await navigator.clipboard?.writeText(String(data)).catch(() => undefined);
      return { ok: {} };
    }),
    stopPullDownRefresh: asyncApi('stopPullDownRefresh', () => ({ ok: {} })),
    vibrateShort: asyncApi('vibrateShort', () => ({ ok: {} })),
    ...systemApis(phone),
  };
  return new Proxy(known, {
    get: (target, name) =>
      typeof name === 'symbol' || name in target ? target[name as string] : notHere(name),
  });
}

function navigationApis(): Wx {
  const go = (name: 'navigateTo' | 'redirectTo' | 'reLaunch') =>
    asyncApi(name, ({ url }) => toOutcome(navigation[name](String(url))));
  return {
    navigateTo: go('navigateTo'),
    redirectTo: go('redirectTo'),
    reLaunch: go('reLaunch'),
    switchTab: go('reLaunch'),
    navigateBack: asyncApi('navigateBack', ({ delta }) =>
      toOutcome(navigation.navigateBack(Number(delta ?? 1))),
    ),
  };
}

const toOutcome = (failure: string | undefined): Outcome =>
  failure === undefined ? { ok: {} } : { fail: failure };

function dialogApis(): Wx {
  const toast = (options: WxOptions) => {
    showToast(toText(options['title']), {
      icon: toText(options['icon'] ?? 'success'),
      durationMs: Number(options['duration'] ?? 1500),
      isMasked: options['mask'] === true,
    });
    return { ok: {} };
  };
  const hide = () => {
    hideToast();
    return { ok: {} };
  };
  return {
    showToast: asyncApi('showToast', toast),
    hideToast: asyncApi('hideToast', hide),
    showLoading: asyncApi('showLoading', (options) => {
      const title = toText(options['title'] ?? phoneText('loading'));
      const isMasked = options['mask'] === true;
      showToast(title, { icon: 'loading', durationMs: Number.POSITIVE_INFINITY, isMasked });
      return { ok: {} };
    }),
    hideLoading: asyncApi('hideLoading', hide),
    showModal: asyncApi('showModal', async (options) => ({ ok: await showModal(options) })),
  };
}

function systemApis({ language }: Phone): Wx {
  const appBase = { language, version: '8.0.50', SDKVersion: '3.5.0', theme: 'light' };
  const size = { windowWidth: innerWidth, windowHeight: innerHeight, pixelRatio: devicePixelRatio };
  return {
    getAppBaseInfo: () => appBase,
    getWindowInfo: () => size,
    getSystemInfoSync: () => ({ ...appBase, ...size, platform: 'devtools' }),
    getAccountInfoSync: () => ({ miniProgram: { appId: 'touristappid', envVersion: 'develop' } }),
    canIUse: () => true,
    nextTick: (work: () => void) => queueMicrotask(work),
  };
}

/** A listener is taken and never called; anything else fails as on a phone that is too old. */
function notHere(name: string): unknown {
  return /^(on|off)[A-Z]/.test(name)
    ? () => undefined
    : asyncApi(name, () => ({ fail: 'not supported by the phone in the page' }));
}
