/**
 * Hands the page's calls on to the merchant's API, so that the page needs one origin only and the
 * API needs no CORS headers that a mini-program, which is not a browser page, never asks for.
 */
import { type Answer, answerError, type Request } from '../host/http.ts';
import type { HttpClient } from '../surroundings/surroundings.ts';
import { signAwsRequest } from './aws-signature.ts';

const PASSED_ON = [
  'content-type',
  'authorization',
  'idempotency-key',
  'x-amz-date',
  'accept-language',
  'user-agent',
] as const;

/** The key that the local stack knows; a deployed one has those of its owner's people. */
const LOCAL_SIGNER = {
  accessKeyId: 'local',
  secretAccessKey: 'local',
  region: 'us-east-1',
  service: 'execute-api',
};

/** Sends a request as the merchant's own people do: signed, with the key of the local stack. */
export async function forwardAsMerchant(
  request: Request,
  apiUrl: string,
  path: string,
  { client, nowMs }: { readonly client: HttpClient; readonly nowMs: () => number },
): Promise<Answer | 'drop'> {
  const { method, body } = request;
  const { host } = new URL(apiUrl);
  const signature = signAwsRequest({ method, host, path, body }, LOCAL_SIGNER, nowMs());
  const headers = { ...request.headers, ...signature };
  return forwardToApi({ ...request, headers }, apiUrl, path, client);
}

/** A browser's own headers stay behind: what arrives looks like a mini-program's request. */
export async function forwardToApi(
  request: Request,
  apiUrl: string,
  path: string,
  client: HttpClient,
): Promise<Answer | 'drop'> {
  const headers: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = request.headers[name];
    if (value !== undefined) {
      headers[name] = [value].flat().join(', ');
    }
  }
  const { method, body } = request;
  // One connection for each call: a kept one may be closed by the API at the very moment of its re-use.
  const result = await client.send({ url: apiUrl + path, method, headers, body, keepAlive: false });
  if (result.kind === 'unreachable') {
    return answerError(502, 'API_SILENT', `nothing answers at ${apiUrl}`);
  }
  if (result.kind !== 'answered') {
    return 'drop';
  }
  const { 'content-type': type, 'x-request-id': requestId } = result.headers;
  return {
    status: result.status,
    headers: {
      ...(typeof type === 'string' ? { 'Content-Type': type } : {}),
      ...(typeof requestId === 'string' ? { 'X-Request-Id': requestId } : {}),
    },
    body: result.body.toString('utf8'),
  };
}
