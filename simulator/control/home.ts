/** `GET /_simulator`: what this program is and what it answers. */
import type { Answer, Request } from '../host/http.ts';
import { answerError } from '../host/http.ts';
import { CODE_ROWS, FAULT_ROWS, PRICE_ROWS, type Row } from './reference.ts';
import type { Wechat } from '../wechat.ts';

const ADDRESSES: readonly Row[] = [
  ['POST /pay/unifiedorder', '统一下单'],
  ['POST /pay/orderquery', '查询订单'],
  ['POST /pay/closeorder', '关闭订单'],
  ['POST /secapi/pay/refund', '申请退款; over TLS with the client certificate'],
  ['POST /pay/refundquery', '查询退款'],
  ['POST /pay/downloadbill', '下载交易账单'],
  ['POST /v3/pay/transactions/{jsapi|native}', 'APIv3 下单'],
  ['GET /v3/pay/transactions/{out-trade-no|id}/{number}?mchid=', 'APIv3 查询订单'],
  ['POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close', 'APIv3 关闭订单'],
  ['… /v3/pay/partner/transactions/…', 'APIv3 服务商模式'],
  ['POST /v3/refund/domestic/refunds', 'APIv3 申请退款'],
  ['GET /v3/refund/domestic/refunds/{out_refund_no}', 'APIv3 查询退款'],
  ['POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund', 'APIv3 发起异常退款'],
  ['GET /v3/bill/tradebill?bill_date=', 'APIv3 申请交易账单'],
  ['GET /v3/billdownload/file?token=', 'APIv3 下载账单'],
  ['GET /v3/certificates', '下载平台证书'],
  ['GET /sns/jscode2session', '小程序登录 code2Session'],
  ['POST /_simulator/login {"user"}', 'a one-time wx.login code'],
  ['GET /_simulator/login-codes/{code}', 'whether a code is good, used, expired or unknown'],
  [
    'GET|POST /_simulator/devtools-buyer {"user"}',
    "who logs in with a code of WeChat's developer tools; null: nobody",
  ],
  [
    'POST /_simulator/request-payment {"user","timeStamp","nonceStr","package","signType","paySign"}',
    'what the phone does; "cancel": true cancels',
  ],
  ['GET /', 'the page: a phone to pay with, and every message'],
  ['GET /_simulator/orders', "WeChat's whole book"],
  ['GET /_simulator/orders/{out_trade_no}', 'one order with its notification attempts'],
  [
    'POST /_simulator/orders/{out_trade_no}/pay',
    'pays without a phone; "evenIfClosed": true for a payment that was under way before; "coupons", "payerCurrency"',
  ],
  [
    'POST /_simulator/orders/{out_trade_no}/state {"tradeState"}',
    'USERPAYING, ACCEPT, PAYERROR, REVOKED, NOTPAY',
  ],
  [
    'POST /_simulator/orders/{out_trade_no}/refund-in-console',
    'a refund by hand; {"refundFen","notifyUrl","status"}',
  ],
  ['GET /_simulator/refunds/{out_refund_no}', 'one refund'],
  [
    'POST /_simulator/refunds/{out_refund_no} {"status"}',
    'ends it: SUCCESS, CLOSED, ABNORMAL, also one after another',
  ],
  [
    'GET|POST|DELETE /_simulator/bill {"date","alter"}',
    "differences in a day's bill; GET ?date= shows one",
  ],
  ['GET /_simulator/prepays/{prepay_id}', 'the order that a prepay_id belongs to'],
  ['GET /_simulator/users/{user}', 'the openid of a user'],
  ['GET|POST|DELETE /_simulator/faults[/{id}]', 'misbehaviour on request'],
  ['GET|POST /_simulator/price-list {"enabled"}', 'amounts that choose what happens, below'],
  [
    'GET|POST /_simulator/merchant',
    'new keys, certificates, sub-merchants, "balanceFen", "feeRate"',
  ],
  [
    'GET|POST /_simulator/verification {"mode","notificationShare"}',
    'platform certificate, public key, or both',
  ],
  ['GET|POST /_simulator/platform-certificates {"share"}', 'a successor beside the first'],
  ['GET|POST /_simulator/clock {"advanceSeconds"}', "moves WeChat's clock"],
  [
    'GET /_simulator/messages[?after=id&failed=1]',
    'every message, or the failed ones, and why a signature failed',
  ],
  ['POST /_simulator/reset', 'empty again'],
];

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const writeTable = (rows: readonly Row[]) =>
  `<table>${rows
    .map(
      ([what, text]) =>
        `<tr><td><code>${escapeHtml(what)}</code></td><td>${escapeHtml(text)}</td></tr>`,
    )
    .join('\n')}</table>`;

export function answerHome({ merchant, prices, seed }: Wechat, { method }: Request): Answer {
  if (method !== 'GET' && method !== 'HEAD') {
    return answerError(405, 'METHOD_NOT_ALLOWED', `${method} /_simulator is not possible: use GET`);
  }
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>WeChat Pay simulator</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}td{padding:.2rem 1rem .2rem 0;vertical-align:top}</style>
<h1>WeChat Pay simulator 微信支付模拟器</h1>
<p>It behaves like WeChat Pay (API v2 and v3) towards one merchant. No real money, no real WeChat. 不产生真实支付。</p>
<p>appid <code>${escapeHtml(merchant.appid)}</code>, mch_id <code>${escapeHtml(merchant.mchid)}</code>, seed <code>${escapeHtml(seed)}</code>. How to use it: <code>simulator/README.md</code>, <code>simulator/README.zh-CN.md</code>.</p>
${writeTable(ADDRESSES)}
<h2>Faults 故障</h2>
${writeTable(FAULT_ROWS)}
<h2>Codes of the fault <code>error</code> 错误码</h2>
${writeTable(CODE_ROWS)}
<h2>Price list 价目表</h2>
<p>An order of such an amount meets this without any call${prices.isEnabled() ? '' : ' (switched off now)'}. 订单为该金额时，无需任何调用即会发生。</p>
${writeTable(PRICE_ROWS)}
</html>
`;
  return { status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body };
}
