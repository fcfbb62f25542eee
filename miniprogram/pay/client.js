/** What every operation works with: the phone, the server, and what is being paid. */
const { createFailure } = require('./failure.js');
const { storePending } = require('./pending.js');
const { createServer } = require('./server.js');
/** @import { PayOptions, PayResult } from './pay.js' */

/**
 * The payment that is being worked on; `finishSheet` while WeChat's payment sheet is open.
 *
 * @typedef {{ content: string, result?: Promise<PayResult>, outTradeNo?: string,
 *   finishSheet?: ((result: { errMsg?: string }) => void) | undefined }} Flight
 */

/** @typedef {ReturnType<typeof openClient>} Client */

/** @param {number} ms */
const sleep = (ms) =>
  /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      setTimeout(resolve, ms);
    })
  );

/** @param {PayOptions} options */
function openClient({ baseUrl, wx: host = wx, language = 'zh-CN', now = Date.now, wait = sleep }) {
  const failure = createFailure(language);
  return {
    wx: host,
    now,
    wait,
    failure,
    server: createServer({ baseUrl, language, wx: host, now, wait, failure }),
    pendings: storePending(host, `pay.pending ${baseUrl}`),
    current: /** @type {Flight | undefined} */ (undefined),
  };
}

module.exports = { openClient };
