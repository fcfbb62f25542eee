/** `POST /prepay`: makes an order, or finds it again, and signs what `wx.requestPayment` needs. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { findOrCreateOrder } from '../lib/checkout/checkout.ts';
import { placeAtWechat } from '../lib/checkout/place.ts';
import { parseCheckoutRequest } from '../lib/checkout/request.ts';
import type { CheckoutTerms } from '../lib/checkout/terms.ts';
import type { Config } from '../lib/runtime/config.ts';
import { type HttpHandler, httpHandler, type RequestContext } from '../lib/http/handler.ts';
import { header, readJson } from '../lib/http/input.ts';
import { once, warmUp } from '../lib/runtime/init.ts';
import { FIRST_MERCHANT } from '../lib/order/order-id.ts';
import { buyerFirstSteps, type Machine, machine, openBuyerResources } from '../lib/deployment.ts';
import type { MerchantSecret } from '../lib/secrets/merchant.ts';
import { quoteKeysOf } from '../lib/secrets/mini-program.ts';
import type { VersionedSecret } from '../lib/secrets/versioned-secret.ts';
import { authenticate, type Buyer, type SessionContext } from '../lib/http/session.ts';
import type { Table } from '../lib/table/client.ts';
import { isoTime } from '../lib/time.ts';
import type { WechatPayOf } from '../lib/wechatpay/open.ts';

export interface PrepayDependencies extends SessionContext {
  readonly config: Pick<
    Config,
    | 'publicBaseUrl'
    | 'orderLifetimeSeconds'
    | 'orderOptions'
    | 'allowVirtualGoods'
    | 'openOrdersPerBuyer'
    | 'apiVersion'
  >;
  readonly merchant: VersionedSecret<MerchantSecret>;
  readonly table: Table;
  readonly wechatPay: WechatPayOf<'buildPrepayRequest' | 'prepay' | 'buildRequestPayment'>;
}

/**
 * The row is written before WeChat is called and not touched after: if the call is lost, a repeat
 * sends the stored request again, and reconcile closes what nobody pays.
 */
export async function prepay(
  event: APIGatewayProxyEventV2,
  dependencies: PrepayDependencies,
  { log }: Pick<RequestContext, 'log'>,
): Promise<object> {
  const buyer = await authenticate(event, dependencies);
  const request = parseCheckoutRequest(readJson(event));
  const terms = await checkoutTerms(event, buyer, dependencies);
  const { order, isNew } = await findOrCreateOrder(request, terms);
  const { outTradeNo, totalFen, description } = order;
  if (isNew) {
    log.count('OrderCreated');
  }
  log.info(isNew ? 'order created' : 'order found again', { outTradeNo, totalFen });
  const orders = dependencies.wechatPay(order);
  const prepayId = await placeAtWechat(orders, order, dependencies.nowMs);
  return {
    outTradeNo,
    totalFen,
    description,
    expiresAt: isoTime(order.expiresAtEpochSeconds),
    requestPayment: await orders.buildRequestPayment(order, prepayId),
  };
}

async function checkoutTerms(
  event: APIGatewayProxyEventV2,
  { openid, appid }: Buyer,
  { config, miniProgram, merchant, table, wechatPay, nowMs }: PrepayDependencies,
): Promise<CheckoutTerms> {
  const { mchid, subMchid, spAppid } = await merchant.current();
  return {
    table,
    wechatPay: wechatPay({ apiVersion: config.apiVersion, merchantKey: FIRST_MERCHANT }),
    merchantKey: FIRST_MERCHANT,
    appid,
    mchid,
    subMchid,
    spAppid,
    openid,
    clientIp: event.requestContext.http.sourceIp,
    notifyBaseUrl: config.publicBaseUrl,
    lifetimeSeconds: config.orderLifetimeSeconds,
    orderOptions: config.orderOptions,
    allowVirtualGoods: config.allowVirtualGoods,
    openOrdersPerBuyer: config.openOrdersPerBuyer,
    quoteKeys: quoteKeysOf(miniProgram),
    idempotencyKey: header(event, 'idempotency-key'),
    nowMs: nowMs(),
  };
}

/** The handler of one environment, warmed up if Lambda is just starting it. */
export async function openPrepay(machine: Machine): Promise<HttpHandler> {
  const resources = once(() => openBuyerResources(machine));
  await warmUp(machine.environment, () => buyerFirstSteps(resources()));
  return httpHandler(prepay, resources, machine.openLog('prepay'), machine.startTimer);
}

export const handler = await openPrepay(machine);
