/** `POST /orders/{outTradeNo}/close`: the buyer gives an unpaid order up. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { closeForBuyer } from '../lib/evidence/close-for-buyer.ts';
import type { CloseContext } from '../lib/evidence/close-order.ts';
import { type HttpHandler, httpHandler, type RequestContext } from '../lib/http/handler.ts';
import { withStatus } from '../lib/http/answer.ts';
import { once, warmUp } from '../lib/runtime/init.ts';
import { FIRST_MERCHANT } from '../lib/order/order-id.ts';
import { isOpen } from '../lib/order/order.ts';
import { buyerFirstSteps, type Machine, machine, openBuyerResources } from '../lib/deployment.ts';
import { authenticate, type SessionContext } from '../lib/http/session.ts';
import { readOwnOrder } from '../lib/table/orders.ts';
import { presentOrder } from '../lib/http/order-view.ts';

export type CloseDependencies = SessionContext & Omit<CloseContext, 'log'>;

/** 202 while it is `closing`: reconcile ends it, and `GET /orders/{outTradeNo}` tells how. */
export async function close(
  event: APIGatewayProxyEventV2,
  dependencies: CloseDependencies,
  { log }: Pick<RequestContext, 'log'>,
): Promise<object> {
  const { openid } = await authenticate(event, dependencies);
  const outTradeNo = event.pathParameters?.['outTradeNo'] ?? '';
  const id = { merchantKey: FIRST_MERCHANT, outTradeNo };
  const order = await readOwnOrder(dependencies.table, id, openid);
  const ended = await closeForBuyer({ ...dependencies, log }, order);
  return isOpen(ended) ? withStatus(202, presentOrder(ended)) : presentOrder(ended);
}

/** The handler of one environment, warmed up if Lambda is just starting it. */
export async function openClose(machine: Machine): Promise<HttpHandler> {
  const resources = once(() => openBuyerResources(machine));
  await warmUp(machine.environment, () => buyerFirstSteps(resources()));
  return httpHandler(close, resources, machine.openLog('close'), machine.startTimer);
}

export const handler = await openClose(machine);
