/** Everything that API v3 checks before an operation runs: headers, signature, JSON, whose orders these are. */
import type { Request } from '../host/http.ts';
import type { Message } from '../host/messages.ts';
import type { Service } from '../host/service.ts';
import { failV3, type V3Failure, type V3Outcome } from './errors.ts';
import { checkJson } from './json-shape.ts';
import { shapeOfParties } from './order-shape.ts';
import { verifyRequest } from './verify-request.ts';

type Parties = Pick<Service, 'merchant' | 'account'>;

export type Json = Readonly<Record<string, unknown>>;

/** Undefined when nothing is wrong with headers and signature. */
export function refuseRequest(
  service: Service,
  request: Request,
  message: Message,
): V3Failure | undefined {
  return refuseHeaders(request) ?? verifyRequest(service, request, message);
}

function refuseHeaders({ headers, method, tooLarge, body }: Request): V3Failure | undefined {
  const { accept, 'user-agent': agent, 'content-type': contentType } = headers;
  const refuse = (text: string, note: string) => failV3('PARAM_ERROR', { text, note });
  if (!accept || !agent) {
    return refuse('Http头缺少Accept或User-Agent', `${accept ? 'User-Agent' : 'Accept'} is missing`);
  }
  // The documentation asks for application/json; WeChat's own Go client sends */*.
  if (!/application\/(json|\*)|\*\/\*/.test(accept)) {
    return refuse('Http头Accept必须为application/json', `Accept is ${accept}`);
  }
  if (method === 'POST' && !/^application\/json\b/i.test(contentType ?? '')) {
    const text = 'Http头Content-Type必须为application/json';
    const isXml = body.toString('utf8', 0, 64).trimStart().startsWith('<');
    const hint = isXml ? '; the body is XML, for API v2: POST /pay/unifiedorder' : '';
    return refuse(text, `Content-Type is ${contentType ?? 'missing'}${hint}`);
  }
  return tooLarge ? refuse('请求体过大', 'the body is larger than 64 kB') : undefined;
}

/** The body as JSON; numbers, repeated names and everything else as `JSON.parse` reads them. */
export function readBody({ body }: Request): { json: unknown } | { refused: V3Outcome } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    return { json: JSON.parse(text) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'not JSON';
    const isXml = body.toString('utf8', 0, 64).trimStart().startsWith('<');
    const note = isXml ? `${reason}: XML is for API v2, POST /pay/unifiedorder` : reason;
    return { refused: failV3('PARAM_ERROR', { text: '请求体不是合法的JSON', note }) };
  }
}

/** An operation on the body as JSON. */
export function withBody(request: Request, run: (json: unknown) => V3Outcome): () => V3Outcome {
  return () => {
    const read = readBody(request);
    return 'refused' in read ? read.refused : run(read.json);
  };
}

/** A part of a path; what is not URL-encoded stays as it is. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Names one merchant, or a provider and its sub-merchant, and this account may speak for them. */
export function checkParties(
  service: Parties,
  isPartner: boolean,
  parties: Json,
  root: '/body' | '/query',
): V3Failure | undefined {
  return (
    checkJson(parties, shapeOfParties(isPartner), root) ??
    refuseParties(service, isPartner, parties)
  );
}

/** Whether this account is what the endpoint is for, and whether the numbers in the message are its own. */
export function refuseParties(
  { merchant, account }: Parties,
  isPartner: boolean,
  json: Json,
): V3Failure | undefined {
  const subMerchants = account.subMerchants();
  if (isPartner !== subMerchants.length > 0) {
    return failV3('NO_AUTH', {
      note: isPartner
        ? 'this merchant is no service provider: give it sub-merchants with POST /_simulator/merchant'
        : 'this merchant is a service provider: use /v3/pay/partner/…',
    });
  }
  const mchid = json[isPartner ? 'sp_mchid' : 'mchid'];
  if (mchid !== merchant.mchid) {
    const text = '请求中的商户号与签名所用商户号不一致';
    return failV3('INVALID_REQUEST', {
      text,
      internal: 268447843,
      note: `the signature is that of ${merchant.mchid}`,
    });
  }
  const isUnknown =
    isPartner && !subMerchants.some(({ subMchid }) => subMchid === json['sub_mchid']);
  return isUnknown
    ? failV3('NO_AUTH', { text: '受理关系不存在', note: 'this provider has no such sub-merchant' })
    : undefined;
}
