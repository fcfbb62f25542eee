/** The page at `/`: a phone with the mini-program in it, and beside it every message. Loopback only. */
import { type Answer, answerError, answerJson, type Request } from '../host/http.ts';
import type { HttpClient } from '../surroundings/surroundings.ts';
import { bundleMiniProgram } from './mini-program.ts';
import { forwardAsMerchant, forwardToApi } from './proxy.ts';
import { readPageFile } from './static-files.ts';

export interface PageOptions {
  /** Where the merchant's API listens; undefined: the simulator runs alone. */
  readonly apiUrl: string | undefined;
  readonly client: HttpClient;
  /** The real time. */
  readonly nowMs: () => number;
}

const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** No inline script or style, nothing from elsewhere, and no other site may frame it. */
const SECURITY_HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "frame-ancestors 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

export const isPagePath = (path: string) => path === '/' || /^\/(page|_page)\//.test(path);

const AS_BUYER = '/_page/api';
const AS_MERCHANT = '/_page/merchant';

/** Answers the page, its files, and what it asks of the API through the same origin. */
export async function answerPage(request: Request, options: PageOptions): Promise<Answer | 'drop'> {
  const refused = refuseForeign(request);
  if (refused) {
    return refused;
  }
  const { path, method } = request;
  if (path.startsWith(`${AS_BUYER}/`) || path.startsWith(`${AS_MERCHANT}/`)) {
    return askApi(request, options);
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return answerError(405, 'METHOD_NOT_ALLOWED', 'only GET is possible here');
  }
  const { apiUrl } = options;
  if (path === '/_page/mini-program.js') {
    return protect(await bundleMiniProgram());
  }
  if (path === '/_page/setup.json') {
    return protect(answerJson(200, { apiUrl: apiUrl ?? null }));
  }
  const file = await readPageFile(path === '/' ? '/page/index.html' : path);
  return protect(file ?? answerError(404, 'UNKNOWN_ADDRESS', `the page has no ${path}`));
}

function askApi(request: Request, options: PageOptions): Answer | Promise<Answer | 'drop'> {
  const { apiUrl, client } = options;
  if (apiUrl === undefined) {
    return answerError(
      503,
      'NO_API',
      'the simulator was started alone: "npm start" starts all parts',
    );
  }
  const { url } = request;
  return url.startsWith(AS_MERCHANT)
    ? forwardAsMerchant(request, apiUrl, url.slice(AS_MERCHANT.length), options)
    : forwardToApi(request, apiUrl, url.slice(AS_BUYER.length), client);
}

const protect = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...SECURITY_HEADERS },
});

/** Against DNS rebinding and against pages of the internet that the developer has open. */
function refuseForeign({ headers }: Request): Answer | undefined {
  const { host = '', origin } = headers;
  if (!LOOPBACK_HOST.test(host)) {
    return answerError(403, 'FOREIGN_HOST', 'the page answers this machine only');
  }
  return origin !== undefined && !LOOPBACK_HOST.test(origin.replace(/^http:\/\//, ''))
    ? answerError(403, 'FOREIGN_ORIGIN', `pages of ${origin} may not come in here`)
    : undefined;
}
