/** Query and close (查询订单、关闭订单) of v3. */
import type { Order } from '../book/orders.ts';
import { isBeingPaid, isPaid } from '../book/trade-state.ts';
import type { Service } from '../host/service.ts';
import { failV3, succeedEmpty, succeedV3, type V3Outcome } from './errors.ts';
import { checkParties, type Json } from './open-request.ts';
import { describeTransaction } from './transaction.ts';

/** An order belongs to the sub-merchant it was made for, or to none. */
const isOf = (order: Order, parties: Json) => order.terms.subMchid === (parties['sub_mchid'] ?? '');

export function queryOrderV3(
  service: Service,
  isPartner: boolean,
  order: Order | undefined,
  parties: Json,
): V3Outcome {
  const refused = checkParties(service, isPartner, parties, '/query');
  if (refused) {
    return refused;
  }
  return order && isOf(order, parties)
    ? succeedV3(describeTransaction(service, order))
    : failV3('ORDER_NOT_EXIST');
}

/** 204 also for a number that never was: it proves nothing. */
export function closeOrderV3(
  service: Service,
  isPartner: boolean,
  order: Order | undefined,
  json: unknown,
): V3Outcome {
  const refused = checkParties(service, isPartner, json as Json, '/body');
  if (refused) {
    return refused;
  }
  if (!order || !isOf(order, json as Json)) {
    return succeedEmpty;
  }
  if (isPaid(order)) {
    return failV3('ORDER_PAID');
  }
  if (isBeingPaid(order)) {
    return failV3('USER_PAYING');
  }
  service.orders.close(order.outTradeNo);
  return succeedEmpty;
}
