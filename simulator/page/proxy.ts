/**
 * Hands the page's calls on to the merchant's API, so that the page needs one origin only and the
 * API needs no CORS headers that a mini-program, which is not a browser page, never asks for.
 */
import http from 'node:http';
import { type Answer, answerError, type Request } from '../host/http.ts';

const PASSED_ON = [
  'content-type',
  'authorization',
  'idempotency-key',
  'accept-language',
  'user-agent',
] as const;
/** One connection for each call: a kept one may be closed by the API at the very moment of its re-use. */
const agent = new http.Agent({ keepAlive: false });

/** A browser's own headers stay behind: what arrives looks like a mini-program's request. */
export async function forwardToApi(
  request: Request,
  apiUrl: string,
  path: string,
): Promise<Answer | 'drop'> {
  const { promise, resolve } = Promise.withResolvers<Answer | 'drop'>();
  const headers: Record<string, string> = { 'content-length': String(request.body.length) };
  for (const name of PASSED_ON) {
    const value = request.headers[name];
    if (value !== undefined) {
      headers[name] = [value].flat().join(', ');
    }
  }
  const outgoing = http.request(apiUrl + path, { method: request.method, headers, agent });
  outgoing.on('response', (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('error', () => resolve('drop'));
    answer.on('end', () => {
      const type = answer.headers['content-type'];
      const requestId = answer.headers['x-request-id'];
      resolve({
        status: answer.statusCode ?? 502,
        headers: {
          ...(type === undefined ? {} : { 'Content-Type': type }),
          ...(typeof requestId === 'string' ? { 'X-Request-Id': requestId } : {}),
        },
        body: Buffer.concat(chunks).toString('utf8'),
      });
    });
  });
  outgoing.on('error', () => {
    resolve(answerError(502, 'API_SILENT', `nothing answers at ${apiUrl}`));
  });
  outgoing.end(request.body);
  return promise;
}
