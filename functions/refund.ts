/** `…/orders/{outTradeNo}/refunds`: the merchant's own systems give money back and ask about it. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { type Machine, machine, openResources, type Resources } from '../lib/deployment.ts';
import { OrderNotFoundError, RefundNotFoundError } from '../lib/errors.ts';
import { endRefund } from '../lib/evidence/refund-end.ts';
import { requestRefund } from '../lib/evidence/refund-request.ts';
import { withStatus } from '../lib/http/answer.ts';
import { type HttpHandler, httpHandler, type RequestContext } from '../lib/http/handler.ts';
import {
  callerOf,
  idempotencyKeyOf,
  orderIdFrom,
  outRefundNoFrom,
  parseRefundEnd,
  parseRefundWish,
  requiredIdempotencyKey,
} from '../lib/http/refund-request.ts';
import { presentRefund } from '../lib/http/refund-view.ts';
import { digestOfKey } from '../lib/refund/request.ts';
import { refundableFenOf } from '../lib/refund/rules.ts';
import { once, warmUp } from '../lib/runtime/init.ts';
import { openConnection } from '../lib/table/client.ts';
import { readOrder } from '../lib/table/orders.ts';
import { listRefunds, readRefund } from '../lib/table/refunds.ts';
import type { WechatPayOf } from '../lib/wechatpay/open.ts';

export interface RefundDependencies extends Pick<Resources, 'table' | 'nowMs' | 'notifyBaseUrl'> {
  readonly wechatPay: WechatPayOf<'buildRefundRequest' | 'refund' | 'endAbnormal'>;
}

type Route = (
  event: APIGatewayProxyEventV2,
  dependencies: RefundDependencies & Pick<RequestContext, 'log'>,
  requestedBy: string,
) => Promise<object>;

/** Reserves in one transaction, calls WeChat once, records the outcome. 201, or 200 for a repeat. */
const create: Route = async (event, dependencies, requestedBy) => {
  const wish = parseRefundWish(event);
  const key =
    wish.outRefundNo === undefined ? requiredIdempotencyKey(event) : idempotencyKeyOf(event);
  const caller = { keyDigest: key === undefined ? undefined : digestOfKey(key), requestedBy };
  const { refund, isNew } = await requestRefund(dependencies, orderIdFrom(event), wish, caller);
  return withStatus(isNew ? 201 : 200, presentRefund(refund));
};

const list: Route = async (event, { table }) => {
  const id = orderIdFrom(event);
  const order = await readOrder(table, id);
  if (!order) {
    throw new OrderNotFoundError();
  }
  const refunds = await listRefunds(table, id);
  const byAge = refunds.toSorted((a, b) => a.createdAtEpochSeconds - b.createdAtEpochSeconds);
  return { refunds: byAge.map(presentRefund), refundableFen: refundableFenOf(order) };
};

const show: Route = async (event, { table }) => {
  const id = { ...orderIdFrom(event), outRefundNo: outRefundNoFrom(event) };
  const { order, refund } = await readRefund(table, id);
  if (!refund) {
    throw order ? new RefundNotFoundError() : new OrderNotFoundError();
  }
  return presentRefund(refund);
};

/** What a person decides about an abnormal refund. */
const end: Route = async (event, dependencies) => {
  const decision = parseRefundEnd(event);
  const id = { ...orderIdFrom(event), outRefundNo: outRefundNoFrom(event) };
  const key = requiredIdempotencyKey(event);
  return presentRefund(await endRefund(dependencies, id, decision, key));
};

const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['POST /orders/{outTradeNo}/refunds', create],
  ['GET /orders/{outTradeNo}/refunds', list],
  ['GET /orders/{outTradeNo}/refunds/{outRefundNo}', show],
  ['POST /orders/{outTradeNo}/refunds/{outRefundNo}/abnormal', end],
]);

export async function refund(
  event: APIGatewayProxyEventV2,
  dependencies: RefundDependencies,
  { log }: Pick<RequestContext, 'log'>,
): Promise<object> {
  const requestedBy = callerOf(event);
  const route = ROUTES.get(event.routeKey);
  if (!route) {
    throw new TypeError(`no route ${event.routeKey}`);
  }
  return route(event, { ...dependencies, log }, requestedBy);
}

/** The handler of one environment, warmed up if Lambda is just starting it. */
export async function openRefund(machine: Machine): Promise<HttpHandler> {
  const resources = once(() => openResources(machine));
  await warmUp(machine.environment, () => [
    resources().merchant.current(),
    openConnection(resources().table, 'read'),
  ]);
  return httpHandler(refund, resources, machine.openLog('refund'), machine.startTimer);
}

export const handler = await openRefund(machine);
