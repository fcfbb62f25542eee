/**
 * Stands where the IAM authorizer of an HTTP API stands: whether a request bears the signature of a
 * key that it knows. Here that is one key, which may call every route.
 */
import { timingSafeEqual } from 'node:crypto';
import type { APIGatewayEventRequestContextIAMAuthorizer } from 'aws-lambda';
import {
  ALGORITHM,
  type CredentialScope,
  createCanonicalRequest,
  createSignature,
  readHeader,
  sha256,
  type SignedRequest,
  TERMINATOR,
} from './sigv4.ts';

/** The key that the local stack knows, as the SDK's environment variables name it there. */
const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;
const LOCAL_REGION = 'us-east-1';
export const LOCAL_ACCOUNT_ID = '000000000000';

const SERVICE = 'execute-api';
const TOLERANCE_MS = 5 * 60_000;
const TIMESTAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** What the function gets as `requestContext.authorizer`. */
export type IamAuthorizer = APIGatewayEventRequestContextIAMAuthorizer;

export type IamJudgement =
  | { readonly kind: 'allowed'; readonly authorizer: IamAuthorizer }
  /** The reason in AWS's words; an HTTP API tells it to the access log and never to the caller. */
  | { readonly kind: 'refused'; readonly reason: string };

/** @param nowMs the real time, which a client signs by, whatever the stack's clock says. */
export function judgeSignature(request: SignedRequest, nowMs: number): IamJudgement {
  const reason = findFault(request, nowMs);
  return reason === undefined
    ? { kind: 'allowed', authorizer: { iam: describeCaller() } }
    : { kind: 'refused', reason };
}

/** Why the request is not signed as it must be; undefined when it is. */
function findFault(request: SignedRequest, nowMs: number): string | undefined {
  const authorization = readHeader(request, 'authorization');
  if (authorization === undefined) {
    return 'Missing Authentication Token';
  }
  const parameters = readParameters(authorization);
  const timestamp = readHeader(request, 'x-amz-date') ?? '';
  const incomplete = findMissing(parameters, timestamp);
  if (incomplete !== undefined) {
    return incomplete;
  }
  const [accessKeyId, date = '', region = '', service = '', terminator, ...rest] =
    parameters.Credential?.split('/') ?? [];
  const scope = { date, region, service };
  if (rest.length > 0 || terminator !== TERMINATOR) {
    return `Credential should be scoped with a valid terminator: '${TERMINATOR}'.`;
  }
  return (
    findScopeFault(scope, timestamp) ??
    findTimeFault(timestamp, nowMs) ??
    findKeyFault(request, accessKeyId) ??
    findSignatureFault(request, parameters, timestamp, scope)
  );
}

interface Parameters {
  readonly Credential?: string;
  readonly SignedHeaders?: string;
  readonly Signature?: string;
}

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; nothing of any other scheme. */
function readParameters(authorization: string): Parameters {
  const [scheme, ...rest] = authorization.split(' ');
  if (scheme !== ALGORITHM) {
    return {};
  }
  const pairs = rest
    .join(' ')
    .split(',')
    .map((pair) => pair.trim().split('='));
  // Three and no more: of two signatures neither counts.
  return pairs.length === 3
    ? Object.fromEntries(pairs.map(([name = '', ...value]) => [name, value.join('=')]))
    : {};
}

function findMissing(parameters: Parameters, timestamp: string): string | undefined {
  const missing = (['Credential', 'Signature', 'SignedHeaders'] as const).find(
    (name) => (parameters[name] ?? '') === '',
  );
  if (missing !== undefined) {
    return `Authorization header requires '${missing}' parameter.`;
  }
  if (!TIMESTAMP.test(timestamp)) {
    return "Authorization header requires existence of a 'X-Amz-Date' header.";
  }
  const signed = parameters.SignedHeaders?.split(';') ?? [];
  // Else one signature would hold for other hosts and other times.
  const unsigned = ['host', 'x-amz-date'].find((name) => !signed.includes(name));
  return unsigned && `'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`;
}

function findScopeFault(scope: CredentialScope, timestamp: string): string | undefined {
  if (scope.region !== LOCAL_REGION) {
    return `Credential should be scoped to a valid region, not '${scope.region}'. The local stack is in '${LOCAL_REGION}'.`;
  }
  if (scope.service !== SERVICE) {
    return `Credential should be scoped to correct service: '${SERVICE}'.`;
  }
  return scope.date === timestamp.slice(0, 8)
    ? undefined
    : `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${timestamp.slice(0, 8)}'.`;
}

function findTimeFault(timestamp: string, nowMs: number): string | undefined {
  const signedAtMs = Date.parse(timestamp.replace(TIMESTAMP, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(signedAtMs) || signedAtMs < nowMs - TOLERANCE_MS) {
    return `Signature expired: ${timestamp} is now earlier than ${formatTimestamp(nowMs - TOLERANCE_MS)} (${formatTimestamp(nowMs)} - 5 min.)`;
  }
  return signedAtMs > nowMs + TOLERANCE_MS
    ? `Signature not yet current: ${timestamp} is still later than ${formatTimestamp(nowMs + TOLERANCE_MS)} (${formatTimestamp(nowMs)} + 5 min.)`
    : undefined;
}

/** A lasting key has no session token, so one that brings one is another key. */
function findKeyFault(request: SignedRequest, accessKeyId: string | undefined): string | undefined {
  const isKnown =
    accessKeyId === LOCAL_CREDENTIALS.accessKeyId &&
    readHeader(request, 'x-amz-security-token') === undefined;
  return isKnown ? undefined : 'The security token included in the request is invalid.';
}

function findSignatureFault(
  request: SignedRequest,
  { SignedHeaders = '', Signature = '' }: Parameters,
  timestamp: string,
  scope: CredentialScope,
): string | undefined {
  const canonicalRequest = createCanonicalRequest(request, SignedHeaders.split(';'));
  const expected = createSignature(
    canonicalRequest,
    timestamp,
    scope,
    LOCAL_CREDENTIALS.secretAccessKey,
  );
  const declaredHash = readHeader(request, 'x-amz-content-sha256') ?? sha256(request.body);
  if (equalTexts(Signature, expected) && declaredHash === sha256(request.body)) {
    return undefined;
  }
  return `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. The Canonical String for this request should have been '${canonicalRequest}'`;
}

function equalTexts(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function describeCaller(): IamAuthorizer['iam'] {
  return {
    accessKey: LOCAL_CREDENTIALS.accessKeyId,
    accountId: LOCAL_ACCOUNT_ID,
    callerId: 'AIDALOCAL',
    cognitoIdentity: null,
    principalOrgId: 'o-locallocal',
    userArn: `arn:aws:iam::${LOCAL_ACCOUNT_ID}:user/local`,
    userId: 'AIDALOCAL',
  };
}

/** `20150830T123600Z` */
function formatTimestamp(timeMs: number): string {
  return new Date(timeMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
