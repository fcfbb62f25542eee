/** Which address of API v3 does what. */
import type { Request } from '../host/http.ts';
import type { Service } from '../host/service.ts';
import { findBillOperation } from './bill-operations.ts';
import { listCertificates } from './certificates.ts';
import { decodePart, readBody, withBody } from './open-request.ts';
import { closeOrderV3, queryOrderV3 } from './order-operations.ts';
import type { V3Operation } from './operation.ts';
import { placeOrderV3 } from './prepay.ts';
import { findRefundOperation } from './refund-operations.ts';

const TRANSACTIONS =
  /^\/v3\/pay\/(partner\/)?transactions\/(jsapi|native|id\/([^/]+)|out-trade-no\/([^/]+?)(\/close)?)$/;

/** Undefined: the simulator does not serve this. */
export function findOperation(service: Service, request: Request): V3Operation | undefined {
  const { method, path, query } = request;
  if (path === '/v3/certificates' && method === 'GET') {
    return {
      point: 'certificates',
      run: () => listCertificates(service, query.get('algorithm_type')),
    };
  }
  const [, partner, what, transactionId, outTradeNo, close] = TRANSACTIONS.exec(path) ?? [];
  const isPartner = partner !== undefined;
  if (what === 'jsapi' || what === 'native') {
    const tradeType = what === 'jsapi' ? 'JSAPI' : 'NATIVE';
    const namesPublicKey =
      request.headers['wechatpay-serial'] === service.merchant.wechatpayPublicKeyId;
    const run = withBody(request, (json) =>
      placeOrderV3(service, isPartner, tradeType, json, namesPublicKey),
    );
    return method === 'POST'
      ? { point: 'unifiedorder', totalFen: readTotalFen(request), run }
      : undefined;
  }
  const { orders } = service;
  const order = transactionId
    ? orders.findByTransactionId(transactionId)
    : orders.find(decodePart(outTradeNo ?? ''));
  if (close && method === 'POST') {
    const run = withBody(request, (json) => closeOrderV3(service, isPartner, order, json));
    return { point: 'closeorder', order, totalFen: order?.totalFen, run };
  }
  if (what !== undefined && !close && method === 'GET') {
    const run = () => queryOrderV3(service, isPartner, order, Object.fromEntries(query));
    return { point: 'orderquery', order, totalFen: order?.totalFen, run };
  }
  return findRefundOperation(service, request) ?? findBillOperation(service, request);
}

function readTotalFen(request: Request): number | undefined {
  const read = readBody(request);
  const { amount } = ('json' in read && read.json ? read.json : {}) as {
    amount?: { total?: unknown };
  };
  return typeof amount?.total === 'number' ? amount.total : undefined;
}
