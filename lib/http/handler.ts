/** The edge towards the mini-program: JSON in, JSON or one clear error out. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { statusOf } from './answer.ts';
import { beforeTimeIsOver, type CallContext, type StartTimer } from './deadline.ts';
import { ERROR_TEXTS, errorText, type PublicErrorCode } from './error-texts.ts';
import { readEvent } from './event.ts';
import { header } from './input.ts';
import type { Language } from './problem-texts.ts';
import { ServiceError } from '../errors.ts';
import { namePassingFailure } from '../runtime/aws-failure.ts';
import { countFailure } from '../runtime/count-failure.ts';
import { describeError, type FunctionLog, type Log } from '../runtime/log.ts';

/** What an operation knows of the call besides the event. */
export interface RequestContext {
  readonly requestId: string;
  readonly log: Log;
}

/** Work of one route: answers the JSON body of a 200, or of another status by `withStatus`, or throws. */
export type HttpOperation<Dependencies> = (
  event: APIGatewayProxyEventV2,
  dependencies: Dependencies,
  context: RequestContext,
) => Promise<object>;

export type HttpHandler = (
  event: APIGatewayProxyEventV2,
  context: CallContext,
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * Makes a Lambda handler of an operation: one request id, one log line per failure, every error
 * as `{"error":{"code","message"},"requestId"}` in the caller's language.
 *
 * @param startTimer with it, the answer comes before Lambda ends the function.
 */
export function httpHandler<Dependencies>(
  operation: HttpOperation<Dependencies>,
  dependencies: () => Dependencies,
  functionLog: FunctionLog,
  startTimer?: StartTimer,
): HttpHandler {
  return async (received, context) => {
    const event = readEvent(received);
    const requestId = event.requestContext.requestId || context.awsRequestId;
    const log = functionLog.forRequest(requestId, context.awsRequestId);
    try {
      const work = operation(event, dependencies(), { requestId, log });
      const body = await beforeTimeIsOver(work, context, startTimer);
      return jsonResponse(statusOf(body), body, requestId);
    } catch (error) {
      const failure = namePassingFailure(error);
      return errorResponse(failure, preferredLanguage(event), requestId, log);
    } finally {
      functionLog.flush();
    }
  };
}

/** `zh-CN` when the caller ranks any Chinese first, else English. */
export function preferredLanguage(event: APIGatewayProxyEventV2): Language {
  const ranked = (header(event, 'accept-language') ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
      const quality = parameters.map((text) => /^\s*q=([\d.]+)$/.exec(text)?.[1]).find(Boolean);
      return { tag, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ tag, quality }) => /^(zh|en)\b/.test(tag) && quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return ranked[0]?.tag.startsWith('zh') ? 'zh-CN' : 'en';
}

function errorResponse(
  error: unknown,
  language: Language,
  requestId: string,
  log: Log,
): APIGatewayProxyStructuredResultV2 {
  const code: PublicErrorCode = error instanceof ServiceError ? error.code : 'INTERNAL_ERROR';
  const { status, retryAfterSeconds } = ERROR_TEXTS[code];
  const parameters = error instanceof ServiceError ? error.parameters : {};
  log[status >= 500 ? 'error' : 'warn']('request failed', { status, ...describeError(error) });
  countFailure(log, error);
  // Temporary refusals and those that a setting explains have codes of their own.
  if (code === 'WECHAT_PAY_REFUSED') {
    log.count('WechatPayRefused');
  }
  const body = {
    error: {
      code,
      message: errorText(code, language, parameters),
      ...(code === 'PRICE_CHANGED' && { totalFen: parameters['totalFen'] }),
      ...(code === 'REFUND_EXCEEDS_PAYMENT' && { refundableFen: parameters['refundableFen'] }),
    },
  };
  const answer = jsonResponse(status, body, requestId);
  return retryAfterSeconds === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } };
}

function jsonResponse(
  status: number,
  body: object,
  requestId: string,
): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-request-id': requestId,
    },
    body: JSON.stringify(status < 400 ? body : { ...body, requestId }),
  };
}
