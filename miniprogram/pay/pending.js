const { stored } = require('./storage.js');
/** @import { PayWx } from './pay.js' */

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

module.exports = { storePending };
