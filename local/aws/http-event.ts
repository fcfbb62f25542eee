/**
 * The event of an HTTP API, payload format 2.0.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyEventV2WithIAMAuthorizer } from 'aws-lambda';
import { type IamAuthorizer, LOCAL_ACCOUNT_ID } from './iam-authorizer.ts';
import type { RouteMatch } from './routes.ts';
import type { SignedRequest } from './sigv4.ts';

const API_ID = 'local';
const TEXT_TYPES = /^(?:text\/.+|application\/(?:json|xml|javascript|.+\+(?:json|xml)))$/;
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'expect']);
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

export interface HttpRequest extends SignedRequest {
  /** The path, decoded: an HTTP API decodes it before anything else sees it. */
  readonly path: string;
  readonly protocol: string;
  readonly sourceIp: string;
  readonly port: number;
}

/**
 * Builds the event exactly as API Gateway would hand it to the function; `authorizer` is there for a
 * route that demands a signature.
 */
export function buildHttpEvent(
  request: HttpRequest,
  { route, pathParameters }: RouteMatch,
  requestId: string,
  authorizer?: IamAuthorizer,
): APIGatewayProxyEventV2 | APIGatewayProxyEventV2WithIAMAuthorizer {
  const now = new Date();
  const { cookies, headers } = readHeaders(request);
  const query = readQuery(request.rawQueryString);
  return {
    version: '2.0',
    routeKey: route.key,
    rawPath: request.path,
    rawQueryString: request.rawQueryString,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers,
    ...(query === undefined ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: LOCAL_ACCOUNT_ID,
      apiId: API_ID,
      ...(authorizer && { authorizer }),
      domainName: 'localhost',
      domainPrefix: 'localhost',
      http: {
        method: request.method,
        path: request.path,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: route.key,
      stage: '$default',
      time: formatTime(now),
      timeEpoch: now.getTime(),
    },
    ...(Object.keys(pathParameters).length > 0 ? { pathParameters } : {}),
    ...encodeBody(request.body, headers['content-type']),
  };
}

/** A body that is not declared as text arrives in base64, also when nothing is declared. */
function encodeBody(body: Buffer, contentType: string | undefined) {
  if (body.length === 0) {
    return { isBase64Encoded: false };
  }
  const mediaType = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (TEXT_TYPES.test(mediaType)) {
    return { body: body.toString('utf8'), isBase64Encoded: false };
  }
  return { body: body.toString('base64'), isBase64Encoded: true };
}

function readHeaders(request: HttpRequest) {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]?.toLowerCase() ?? '';
    const value = request.rawHeaders[i + 1] ?? '';
    if (HOP_BY_HOP.has(name)) {
      continue;
    }
    if (name === 'cookie') {
      cookies.push(...value.split(/; */));
      continue;
    }
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  headers['content-length'] = String(request.body.length);
  headers['x-forwarded-for'] = [headers['x-forwarded-for'], request.sourceIp]
    .filter((ip) => ip !== undefined)
    .join(', ');
  headers['x-forwarded-port'] = String(request.port);
  headers['x-forwarded-proto'] = 'http';
  return { headers, cookies };
}

function readQuery(rawQueryString: string): Record<string, string> | undefined {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return values.size === 0 ? undefined : Object.fromEntries(values);
}

/** `12/Mar/2020:19:03:58 +0000` */
function formatTime(now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}
