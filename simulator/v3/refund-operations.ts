/** Which address under `/v3/refund/domestic/refunds` does what. */
import { readRefundTermsV3 } from '../book/refund-terms.ts';
import type { Request } from '../host/http.ts';
import type { Service } from '../host/service.ts';
import { rerouteRefund } from './abnormal-refund.ts';
import { decodePart, type Json, readBody, withBody } from './open-request.ts';
import type { V3Operation } from './operation.ts';
import { findOrderOf, queryRefundV3, refundOrderV3 } from './refunds.ts';

const REFUNDS = /^\/v3\/refund\/domestic\/refunds(?:\/([^/]+?)(\/apply-abnormal-refund)?)?$/;

/** Undefined: there is no such address, or not with this method. */
export function findRefundOperation(service: Service, request: Request): V3Operation | undefined {
  const { method, path, query, headers } = request;
  const matched = REFUNDS.exec(path);
  if (!matched) {
    return undefined;
  }
  const [, number, isAbnormal] = matched;
  const serial = [headers['wechatpay-serial']].flat()[0];
  const { orders, refunds } = service;
  if (number === undefined) {
    const namesPublicKey = serial === service.merchant.wechatpayPublicKeyId;
    const run = withBody(request, (json) => refundOrderV3(service, json, namesPublicKey));
    const order = findOrderOf(service, readRefundTermsV3(readObject(request)));
    return method === 'POST'
      ? { point: 'refund', order, totalFen: order?.totalFen, run }
      : undefined;
  }
  const name = decodePart(number);
  const refund = isAbnormal ? refunds.findById(name) : refunds.find(name);
  const order = refund && orders.find(refund.outTradeNo);
  const common = { order, totalFen: order?.totalFen };
  if (isAbnormal) {
    const run = withBody(request, (json) => rerouteRefund(service, refund, { json, serial }));
    return method === 'POST' ? { point: 'refund', ...common, run } : undefined;
  }
  const run = () => queryRefundV3(service, refund, Object.fromEntries(query));
  return method === 'GET' ? { point: 'refundquery', ...common, run } : undefined;
}

function readObject(request: Request): Json {
  const read = readBody(request);
  return 'json' in read && typeof read.json === 'object' && read.json !== null
    ? (read.json as Json)
    : {};
}
