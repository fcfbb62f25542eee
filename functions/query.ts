/** `GET /orders/{outTradeNo}`: a buyer's own order, as WeChat knows it if it is still unpaid. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { type HttpHandler, httpHandler, type RequestContext } from '../lib/http/handler.ts';
import { once, warmUp } from '../lib/runtime/init.ts';
import { FIRST_MERCHANT } from '../lib/order/order-id.ts';
import type { PaymentAfterClose } from '../lib/order/order.ts';
import { refreshOrder } from '../lib/evidence/ask.ts';
import { buyerFirstSteps, type Machine, machine, openBuyerResources } from '../lib/deployment.ts';
import { authenticate, type SessionContext } from '../lib/http/session.ts';
import type { Table } from '../lib/table/client.ts';
import { readOwnOrder } from '../lib/table/orders.ts';
import type { WechatPayOf } from '../lib/wechatpay/open.ts';
import { presentOrder } from '../lib/http/order-view.ts';

export interface QueryDependencies extends SessionContext {
  readonly table: Table;
  readonly wechatPay: WechatPayOf<'queryOrder'>;
  readonly paymentAfterClose: PaymentAfterClose;
}

/** Another buyer's order is answered like one that does not exist. */
export async function query(
  event: APIGatewayProxyEventV2,
  dependencies: QueryDependencies,
  { log }: Pick<RequestContext, 'log'>,
): Promise<object> {
  const { openid } = await authenticate(event, dependencies);
  const outTradeNo = event.pathParameters?.['outTradeNo'] ?? '';
  const id = { merchantKey: FIRST_MERCHANT, outTradeNo };
  const order = await readOwnOrder(dependencies.table, id, openid);
  return presentOrder(await refreshOrder({ ...dependencies, log }, order));
}

/** The handler of one environment, warmed up if Lambda is just starting it. */
export async function openQuery(machine: Machine): Promise<HttpHandler> {
  const resources = once(() => openBuyerResources(machine));
  await warmUp(machine.environment, () => buyerFirstSteps(resources()));
  return httpHandler(query, resources, machine.openLog('query'), machine.startTimer);
}

export const handler = await openQuery(machine);
