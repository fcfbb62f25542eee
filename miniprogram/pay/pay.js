/**
 * Takes a WeChat payment (微信支付) in a mini-program. Neither WeChat's success callback nor its
 * cancel callback decides anything: both can be wrong or never arrive. Every result that concerns
 * money is the server's word.
 *
 * One file without dependencies, to be copied; what it promises is in `pay.d.ts`. It logs nothing.
 */
/** @import { FailedResult, FailureReason, InputReason, Language, Order } from './pay.js' */
/** @import { PaymentReason, PayResult, PayWx } from './pay.js' */

/** The server asks WeChat at most every 3 seconds; most confirmations come within the first two. */
const CONFIRM_PAUSES_MS = [0, 1000, 2000, 4000, 8000];

/**
 * The payment that is being worked on; `finishSheet` while WeChat's payment sheet is open.
 *
 * @typedef {{ content: string, result?: Promise<PayResult>, outTradeNo?: string,
 *   finishSheet?: ((result: { errMsg?: string }) => void) | undefined }} Flight
 */

/** @type {typeof import('./pay.js').createPay} */
const createPay = (options) => {
  const {
    baseUrl,
    wx: host = wx,
    language = 'zh-CN',
    now = Date.now,
    wait = (ms) =>
      new Promise((resolve) => {
        setTimeout(resolve, ms);
      }),
  } = options;
  const { failure, login, prepay, getOrder } = createServer({
    baseUrl,
    language,
    wx: host,
    now,
    wait,
  });
  const pendings = storePending(host, `pay.pending ${baseUrl}`);
  /** @type {Flight | undefined} */
  let current;

  /** @type {import('./pay.js').Pay['pay']} */
  async function pay(order) {
    const wrong = inputProblem(order);
    if (wrong) {
      return failure(wrong);
    }
    const content = JSON.stringify(order);
    if (current?.result) {
      return current.content === content ? current.result : failure('busy');
    }
    /** @type {Flight} */
    const flight = { content };
    current = flight;
    flight.result = begin(flight).finally(() => {
      current = undefined;
    });
    return flight.result;
  }

  /**
   * From the tap to WeChat's payment sheet, under one Idempotency-Key until the order is final.
   *
   * @param {Flight} flight
   * @returns {Promise<PayResult>}
   */
  async function begin(flight) {
    const { content } = flight;
    const body = JSON.parse(content);
    const pending = pendings.find(body.outTradeNo, content);
    const isNew = !pending.key;
    // Unique among one buyer's orders, which is enough: the server binds the key to the buyer.
    pending.key ||= `${now()}-${Math.random()}`;
    flight.outTradeNo = pending.outTradeNo;
    // WeChat may have taken the money already: no second sheet before the server has looked.
    if (pending.sheet) {
      const confirmed = await confirm(pending, false);
      if (confirmed.status !== 'cancelled') {
        return confirmed;
      }
    }
    pendings.save(pending);
    const prepaid = await prepay(body, pending.key);
    if (!prepaid.status) {
      return openSheet(flight, pending, prepaid);
    }

    const { reason, httpStatus = 0 } = prepaid;
    const isOver = /^order-(closed|expired)$/.test(reason);
    // Also an order that is over: it may have been paid in its last second.
    if (pending.outTradeNo && (isOver || pending.sheet || reason === 'order-already-paid')) {
      const confirmed = await confirm(pending, !isOver);
      if (!isOver || /paid|unknown/.test(confirmed.status)) {
        return confirmed;
      }
    }
    // A refusal is final. After anything else the next tap repeats this one, under the same key.
    if (httpStatus >= 400 && httpStatus < 500) {
      pendings.remove(pending);
    }
    return isOver && !isNew && body.items ? begin(flight) : prepaid;
  }

  /**
   * WeChat's payment sheet and what the server makes of it. From here on the order may be paid,
   * which is stored first: the app may end while the sheet is open.
   *
   * @param {Flight} flight
   * @param {Pending} pending
   * @param {Prepaid} prepaid
   * @returns {Promise<PayResult>}
   */
  async function openSheet(flight, pending, { outTradeNo, requestPayment }) {
    flight.outTradeNo = outTradeNo;
    pendings.save(pending, { outTradeNo, sheet: pending.sheet || 'open' });
    /** @type {{ errMsg?: string }} */
    const { errMsg = '' } = await new Promise((resolve) => {
      flight.finishSheet = resolve;
      host.requestPayment({ ...requestPayment, success: resolve, fail: resolve });
    });
    delete flight.finishSheet;
    if (errMsg.endsWith(':ok')) {
      pendings.save(pending, { sheet: 'ok' });
    }
    const confirmed = await confirm(pending);
    if (confirmed.status !== 'cancelled' || errMsg.includes('cancel')) {
      return confirmed;
    }
    const [, reason] = PAYMENT_FAILURES.find(([pattern]) => pattern.test(errMsg)) ?? [];
    return failure(reason ?? 'payment-failed', { errMsg, order: confirmed.order });
  }

  /**
   * Asks the server until it knows. For the patient, to whom WeChat said "ok", unpaid is no answer
   * yet; for the others it is.
   *
   * @param {Pending} pending
   * @returns {Promise<PayResult>}
   */
  async function confirm(pending, isPatient = pending.sheet === 'ok') {
    const { outTradeNo } = pending;
    let problem;
    for (const pauseMs of CONFIRM_PAUSES_MS) {
      if (pauseMs) {
        await wait(pauseMs);
      }
      const order = await getOrder(outTradeNo);
      if (order.status) {
        problem = order;
        if (order.reason !== 'order-not-found') {
          continue;
        }
      } else if (order.tradeState === 'NOTPAY') {
        if (isPatient) {
          continue;
        }
        if (pending.sheet === 'open') {
          pendings.save(pending, { sheet: '' });
        }
        return { status: 'cancelled', order };
      }
      pendings.remove(pending);
      if (order.status) {
        return order;
      }
      return order.tradeState === 'CLOSED'
        ? failure('order-closed', { order })
        : { status: 'paid', order };
    }
    return {
      ...problem,
      ...failure('unknown'),
      status: 'unknown',
      outTradeNo,
      resume: () => resume(outTradeNo),
    };
  }

  /** @type {import('./pay.js').Pay['resume']} */
  async function resume(outTradeNo) {
    if (!outTradeNo) {
      return failure('order-number-missing');
    }
    if (current?.result && current.outTradeNo === outTradeNo) {
      return current.result;
    }
    return confirm(pendings.find(outTradeNo));
  }

  /** @type {import('./pay.js').Pay['resumePending']} */
  async function resumePending() {
    const { outTradeNo: inSheet = '', finishSheet } = current ?? {};
    // WeChat's callback can get lost in an app switch: a payment that the server knows ends it.
    if (finishSheet) {
      const order = await getOrder(inSheet);
      if (!order.status && order.tradeState !== 'NOTPAY') {
        finishSheet({ errMsg: ':ok' });
      }
    }
    const results = [];
    for (const { sheet, outTradeNo } of pendings.all()) {
      if (sheet && outTradeNo !== current?.outTradeNo) {
        results.push(await resume(outTradeNo));
      }
    }
    return results;
  }

  return { login, pay, resume, resumePending };
};

/**
 * What can be told to be wrong with an order before anything is sent.
 *
 * @param {Record<string, any>} [order]
 * @returns {InputReason | undefined}
 */
function inputProblem({ outTradeNo, quote, items = [], expectedTotalFen } = {}) {
  if (outTradeNo === '') {
    return 'order-number-missing';
  }
  const isSomething = items.length > 0 && items.every((/** @type {any} */ { sku }) => sku);
  if (!outTradeNo && !quote && !isSomething) {
    return 'items-missing';
  }
  const amounts = [{ amountFen: expectedTotalFen }, ...items];
  return amounts.some(({ amountFen }) => amountFen <= 0) ? 'amount-zero' : undefined;
}

/** A little more than the API's own limit: an answer on its way is waited for. */
const TIMEOUT_MS = 16_000;
const RETRY_PAUSES_MS = [500, 1500];

/**
 * @template T
 * @typedef {Promise<(T & { status?: never }) | FailedResult>} Reply
 */
/**
 * @typedef {{ outTradeNo: string, requestPayment: WechatMiniprogram.RequestPaymentOption }} Prepaid
 */

/**
 * @param {{ baseUrl: string, language: Language, wx: PayWx, now: () => number,
 *   wait: (ms: number) => Promise<void> }} options
 */
function createServer({ baseUrl, language, wx, now, wait }) {
  // Named after the API, so that one server's token is never sent to another.
  const session = stored(wx, `pay.token ${baseUrl}`, { token: '', expiresAt: 0 });
  /** @type {Reply<{ token: string }> | undefined} */
  let renewal;

  /**
   * @param {FailureReason} reason
   * @param {Partial<FailedResult>} [more]
   * @returns {FailedResult}
   */
  const failure = (reason, more) => ({
    status: 'failed',
    reason,
    message: MESSAGES[reason]?.[language === 'en' ? 1 : 0] ?? '',
    ...more,
  });

  /**
   * @param {number} httpStatus
   * @param {any} body
   * @param {string} [errMsg]
   */
  function noAnswer(httpStatus, body, errMsg) {
    const error = body?.error;
    // An error without a code is not the API's own: no connection, a gateway, a crash.
    return failure(error?.code?.toLowerCase().replace(/_/g, '-') ?? 'network', {
      ...error,
      errMsg,
      httpStatus,
      requestId: body?.requestId,
      retryable: httpStatus === 503 || (!error && (httpStatus < 400 || httpStatus >= 429)),
    });
  }

  /**
   * One request. An answer must have the field `proof`: whatever else comes with a 200, such as
   * the page of a Wi-Fi portal, is none.
   *
   * @param {string} path
   * @param {string} proof
   * @param {any} [data]
   * @param {Record<string, string>} [header]
   * @returns {Reply<any>}
   */
  const send = (path, proof, data, header) =>
    new Promise((resolve) => {
      wx.request({
        url: baseUrl + path,
        method: data ? 'POST' : 'GET',
        timeout: TIMEOUT_MS,
        header: { 'accept-language': language, ...header },
        data,
        success: ({ statusCode, data: body }) =>
          resolve(
            statusCode === 200 && /** @type {any} */ (body)?.[proof]
              ? body
              : noAnswer(statusCode, body),
          ),
        fail: ({ errMsg }) => resolve(noAnswer(0, undefined, errMsg)),
      });
    });

  /**
   * @template T
   * @param {() => Reply<T>} attempt
   * @returns {Reply<T>}
   */
  async function retrying(attempt, [pauseMs, ...pauses] = RETRY_PAUSES_MS) {
    const reply = await attempt();
    if (!pauseMs || !(/** @type {FailedResult} */ (reply).retryable)) {
      return reply;
    }
    await wait(pauseMs);
    return retrying(attempt, pauses);
  }

  /** @returns {Reply<{ token: string }>} */
  async function renew() {
    /** @type {{ code?: string, errMsg: string }} */
    const { code, errMsg } = await new Promise((resolve) => {
      wx.login({ success: resolve, fail: resolve });
    });
    if (!code) {
      return noAnswer(0, undefined, errMsg);
    }
    const reply = await send('/login', 'token', { code });
    if (!reply.status) {
      session.set({ token: reply.token, expiresAt: now() + reply.expiresIn * 1000 });
    }
    return reply;
  }

  /**
   * The session in storage or, for all who ask at once, one `wx.login`.
   *
   * @returns {Reply<{ token: string }>}
   */
  async function openSession() {
    if (now() < session.get().expiresAt) {
      return session.get();
    }
    renewal ??= renew().finally(() => {
      renewal = undefined;
    });
    return renewal;
  }

  /**
   * @param {string} path
   * @param {string} proof
   * @param {object} [data]
   * @param {Record<string, string>} [header]
   * @param {boolean} [isRepeat]
   * @returns {Reply<any>}
   */
  async function sendAsBuyer(path, proof, data, header, isRepeat) {
    const opened = await openSession();
    if (opened.status) {
      return opened;
    }
    const { token } = opened;
    const reply = await send(path, proof, data, { ...header, authorization: `Bearer ${token}` });
    if (reply.httpStatus !== 401 || isRepeat) {
      return reply;
    }
    // Unless another request has renewed it in the meantime.
    if (session.get().token === token) {
      session.set({ token, expiresAt: 0 });
    }
    return sendAsBuyer(path, proof, data, header, true);
  }

  return {
    failure,
    login: () => retrying(openSession),
    /**
     * @param {object} body
     * @param {string} key
     * @returns {Reply<Prepaid>}
     */
    prepay: (body, key) =>
      retrying(() => sendAsBuyer('/prepay', 'requestPayment', body, { 'idempotency-key': key })),
    /**
     * @param {string} outTradeNo
     * @returns {Reply<Order>}
     */
    getOrder: (outTradeNo) =>
      sendAsBuyer(`/orders/${encodeURIComponent(outTradeNo)}`, 'tradeState'),
  };
}

/**
 * One value in WeChat's storage. When the storage is full or broken the value lives in memory:
 * a payment goes on, it only does not survive a restart.
 *
 * @template T
 * @param {PayWx} wx
 * @param {string} name
 * @param {T} initial
 */
function stored(wx, name, initial) {
  let value = initial;
  try {
    value = wx.getStorageSync(name) || initial;
  } catch {}
  return {
    get: () => value,
    /** @param {T} next */
    set: (next) => {
      value = next;
      try {
        wx.setStorageSync(name, next);
      } catch {}
    },
  };
}

/**
 * An order that somebody began to pay. `content` is the body of its prepay request; `outTradeNo`
 * is empty until the server has named it. `sheet` is WeChat's payment sheet: since it is `open`
 * the order may be paid, `ok` is what the callback claimed.
 *
 * @typedef {{ content: string, key: string, outTradeNo: string, sheet?: 'open' | 'ok' | '' }} Pending
 */

/**
 * @param {PayWx} wx
 * @param {string} name
 */
function storePending(wx, name) {
  const list = stored(wx, name, /** @type {Pending[]} */ ([]));

  /** @param {Pending} pending */
  const others = ({ key }) => list.get().filter((each) => each.key !== key);

  return {
    all: list.get,
    /**
     * The one with that number or content, or a new one, which is not kept before it is saved.
     *
     * @returns {Pending}
     */
    find: (outTradeNo = '', content = '') =>
      list.get().find((each) => {
        return (outTradeNo && each.outTradeNo === outTradeNo) || each.content === content;
      }) ?? { content, key: '', outTradeNo },
    /**
     * An order that may be paid stays until the server has decided; of the others only the latest
     * is kept, for its Idempotency-Key.
     *
     * @param {Pending} pending
     * @param {Partial<Pending>} [changes]
     */
    save(pending, changes) {
      const kept = others(pending).filter(({ sheet }) => sheet);
      list.set([Object.assign(pending, changes), ...kept]);
    },
    /** @param {Pending} pending */
    remove: (pending) => list.set(others(pending)),
  };
}

/**
 * What a buyer may read; the API words its own errors.
 *
 * @type {Partial<Record<FailureReason, readonly [zh: string, en: string]>>}
 */
const MESSAGES = {
  'items-missing': ['请选择商品', 'Choose what to buy.'],
  'amount-zero': ['金额必须大于 0', 'The amount must be above 0.'],
  'order-number-missing': ['缺少订单号', 'The order number is missing.'],
  busy: ['正在支付另一笔订单', 'Another payment is in progress.'],
  network: ['网络异常，请重试', 'No connection. Please try again.'],
  'order-closed': ['订单已关闭', 'The order is closed.'],
  unknown: ['确认中，请勿重复支付', 'Being confirmed. Do not pay again.'],
  'payment-not-allowed': ['商家暂不能收款', 'The shop cannot be paid now.'],
  'payment-wrong-account': ['请用下单的微信号支付', 'Pay with the account that ordered.'],
  'payment-not-here': ['请在手机上用新版微信支付', 'Pay in the newest WeChat on a phone.'],
  'payment-expired': ['已过期，请重新支付', 'Expired. Please pay again.'],
  'payment-invalid': ['支付参数有误，请联系商家', 'Invalid payment. Please tell the shop.'],
  'payment-failed': ['支付未完成', 'The payment failed.'],
};

/**
 * Known texts of `requestPayment:fail …` in WeChat's two languages. The first match counts.
 *
 * @type {readonly (readonly [RegExp, PaymentReason])[]}
 */
const PAYMENT_FAILURES = [
  [/denied|bridge|method|支付方式/i, 'payment-not-here'],
  [/permission|banned|权限/i, 'payment-not-allowed'],
  [/openid|account|账号/i, 'payment-wrong-account'],
  // The phone says "total_fee" when it cannot use the prepay_id, most often because it is too old.
  [/total_fee|expire|过期/i, 'payment-expired'],
  [/sign|param|签名|参数/i, 'payment-invalid'],
];

module.exports = { createPay };
