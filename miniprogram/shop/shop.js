/**
 * The sample shop without its looks: what every tap does and what each page has to show. It knows
 * no `Page` and no `App`, so the same flow runs wherever there is a `wx`.
 */
const { openCatalogue } = require('./catalogue.js');
const { createCounter } = require('./counter.js');
const { formatYuan } = require('./format.js');
const { openOrder } = require('./order.js');

/** @type {typeof import('./shop.js').createShop} */
const createShop = (options) => {
  const counter = createCounter(options);
  const { texts, toast } = counter;

  return {
    texts,
    openCatalogue: (render) => openCatalogue(counter, options, render),
    openOrder: (outTradeNo, render) => openOrder(counter, outTradeNo, render),

    async resume() {
      for (const result of await options.pay.resumePending()) {
        if (result.status === 'paid') {
          toast(`${texts.paid} ¥${formatYuan(result.order.totalFen)}`);
        }
        if (result.status === 'unknown') {
          toast(result.message);
        }
      }
    },
  };
};

module.exports = { createShop };
