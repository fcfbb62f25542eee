/**
 * Takes a WeChat payment (微信支付) in a mini-program. Neither WeChat's success callback nor its
 * cancel callback decides anything: both can be wrong or never arrive. Every result that concerns
 * money is the server's word.
 *
 * This folder has no dependencies and is copied whole; `pay.d.ts` says what it promises. It logs
 * nothing.
 */
const { close } = require('./close.js');
const { openClient } = require('./client.js');
const { resume, resumePending } = require('./confirm.js');
const { pay } = require('./payment.js');

/** @type {typeof import('./pay.js').createPay} */
const createPay = (options) => {
  const client = openClient(options);
  return {
    login: client.server.login,
    pay: (order) => pay(client, order),
    resume: (outTradeNo) => resume(client, outTradeNo),
    close: (outTradeNo) => close(client, outTradeNo),
    resumePending: () => resumePending(client),
  };
};

module.exports = { createPay };
