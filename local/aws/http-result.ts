/** Turns a function's result into an HTTP answer, by the rules of payload format 2.0. */

export interface HttpAnswer {
  readonly statusCode: number;
  /** Lower-case names; `set-cookie` may come more than once. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

const OWN_HEADERS = new Set(['connection', 'content-length', 'transfer-encoding', 'keep-alive']);

/** API Gateway's own answers. */
export const GATEWAY_ANSWERS = {
  badRequest: gatewayAnswer(400, 'Bad Request'),
  forbidden: gatewayAnswer(403, 'Forbidden'),
  notFound: gatewayAnswer(404, 'Not Found'),
  tooLarge: gatewayAnswer(413, 'Request Entity Too Large'),
  internalServerError: gatewayAnswer(500, 'Internal Server Error'),
  serviceUnavailable: gatewayAnswer(503, 'Service Unavailable'),
} as const;

/** An answer with a JSON body. */
export function jsonAnswer(statusCode: number, content: unknown): HttpAnswer {
  const body = Buffer.from(JSON.stringify(content));
  return { statusCode, headers: [['content-type', 'application/json']], body };
}

/**
 * Without `statusCode` the whole result is the JSON body of a 200. A result that API Gateway cannot
 * use is answered with 500.
 */
export function toHttpAnswer(result: unknown): HttpAnswer {
  if (!isObject(result) || result.statusCode === undefined) {
    return inferAnswer(result);
  }
  const statusCode = Number(result.statusCode);
  const { body = '', headers = {}, cookies = [] } = result;
  const usable =
    Number.isInteger(statusCode) && statusCode >= 200 && statusCode <= 599 && isText(body);
  if (!usable || !isObject(headers) || !Array.isArray(cookies)) {
    return GATEWAY_ANSWERS.internalServerError;
  }
  const fields = Object.entries(headers)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
    .filter(([name]) => !OWN_HEADERS.has(name));
  if (!fields.some(([name]) => name === 'content-type')) {
    fields.push(['content-type', 'text/plain;charset=UTF-8']);
  }
  return {
    statusCode,
    headers: [...fields, ...cookies.map((cookie) => ['set-cookie', String(cookie)] as const)],
    body: Buffer.from(body ?? '', result.isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

function inferAnswer(result: unknown): HttpAnswer {
  if (typeof result !== 'string') {
    return jsonAnswer(200, result);
  }
  const headers = [['content-type', 'application/json']] as const;
  return { statusCode: 200, headers, body: Buffer.from(result) };
}

function gatewayAnswer(statusCode: number, message: string): HttpAnswer {
  return jsonAnswer(statusCode, { message });
}

function isText(value: unknown): value is string | null {
  return typeof value === 'string' || value === null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
