/** `GET /v3/bill/tradebill` (申请交易账单) and the download (下载账单) that its answer leads to. */
import { startOfDay } from '../book/bill/bill-day.ts';
import { BILL_TYPES } from '../book/bill/bill-layout.ts';
import type { BillFalsehood, BillOrder } from '../book/bills.ts';
import type { Request } from '../host/http.ts';
import type { Service } from '../host/service.ts';
import { failV3, succeedV3, type V3Failure, type V3Outcome } from './errors.ts';
import type { V3Operation } from './operation.ts';

const DOWNLOAD_PATH = '/v3/billdownload/file';

/** Undefined: there is no such address, or not with this method. */
export function findBillOperation(service: Service, request: Request): V3Operation | undefined {
  const { method, path, query } = request;
  if (method !== 'GET') {
    return undefined;
  }
  if (path === '/v3/bill/tradebill') {
    const run = (falsehood?: BillFalsehood) => applyForBill(service, request, falsehood);
    return { point: 'downloadbill', run: () => run(), runFalsely: run };
  }
  return path === DOWNLOAD_PATH
    ? { point: 'billdownload', run: () => downloadFile(service, query.get('token')) }
    : undefined;
}

function applyForBill(
  service: Service,
  request: Request,
  falsehood: BillFalsehood | undefined,
): V3Outcome {
  const { bills } = service;
  const order = readOrder(service, request.query, falsehood);
  if ('kind' in order) {
    return order;
  }
  const { date } = order;
  switch (bills.stateOf(date)) {
    case 'NOT_OVER':
      return refuseDay(`${date} is not over in Beijing`);
    case 'TOO_OLD':
      return refuseDay(`${date} is more than three months ago`);
    case 'CREATING':
      return failV3('STATEMENT_CREATING', { note: `${date} is ready at 10:00 of the next day` });
    case 'READY': {
      const file = bills.write(order);
      if (!file) {
        return failV3('NO_STATEMENT_EXIST');
      }
      const { sha1, gzip, plan } = file;
      return succeedV3({
        download_url: writeLink(request, bills.issueLink(file), gzip),
        hash_type: 'SHA1',
        hash_value: plan.wrongHash ? flipFirst(sha1) : sha1,
      });
    }
  }
}

const refuseDay = (note: string) =>
  failV3('INVALID_REQUEST', { text: '账单日期不在可下载的范围内', note });

const flipFirst = (hex: string) => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);

/** At the host that was asked, so that any client can follow it. */
function writeLink({ headers, tls }: Request, token: string, gzip: boolean): string {
  const origin = `${tls ? 'https' : 'http'}://${headers.host ?? 'api.mch.weixin.qq.com'}`;
  return `${origin}${DOWNLOAD_PATH}?token=${encodeURIComponent(token)}${gzip ? '&tartype=gzip' : ''}`;
}

function downloadFile({ bills }: Pick<Service, 'bills'>, token: string | null): V3Outcome {
  if (!token) {
    return refuseParameter('token', token, 'token is missing');
  }
  const file = bills.openLink(token);
  return file
    ? { kind: 'file', status: 200, file }
    : failV3('INVALID_REQUEST', {
        text: '下载链接过期',
        note: 'this link has ended, 5 minutes after it was given, or never was: ask for a new one',
      });
}

const refuseParameter = (name: string, value: string | null, note: string): V3Failure =>
  failV3('PARAM_ERROR', {
    text: `${name}参数错误`,
    detail: { field: name, location: 'query', value: value ?? '' },
    note,
  });

function readOrder(
  { account }: Pick<Service, 'account'>,
  query: URLSearchParams,
  falsehood: BillFalsehood | undefined,
): BillOrder | V3Failure {
  const date = query.get('bill_date');
  const kind = query.get('bill_type');
  const form = query.get('tar_type');
  const subMchid = query.get('sub_mchid');
  if (date === null || startOfDay(date) === undefined) {
    return refuseParameter('bill_date', date, 'bill_date is a day as yyyy-MM-dd');
  }
  const type = BILL_TYPES.find((one) => one === (kind ?? 'ALL'));
  if (type === undefined) {
    return refuseParameter('bill_type', kind, `there are ${BILL_TYPES.join(', ')} here`);
  }
  if (form !== null && form !== 'GZIP') {
    return refuseParameter('tar_type', form, 'tar_type is GZIP or absent');
  }
  if (subMchid !== null && !account.subMerchants().some((one) => one.subMchid === subMchid)) {
    return failV3('NO_AUTH', { text: '受理关系不存在', note: 'there is no such sub-merchant' });
  }
  return {
    date,
    type,
    ...(subMchid === null ? {} : { subMchid }),
    gzip: form === 'GZIP',
    ...(falsehood ? { falsehood } : {}),
  };
}
