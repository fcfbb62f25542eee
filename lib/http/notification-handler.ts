/** The edge towards WeChat: whatever happens, an answer that it reads the right way. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import {
  ServiceError,
  TemporarilyUnavailableError,
  WechatPayMalformedMessageError,
  WechatPaySignatureError,
} from '../errors.ts';
import { namePassingFailure } from '../runtime/aws-failure.ts';
import { countFailure } from '../runtime/count-failure.ts';
import { describeError, type FunctionLog, type Log } from '../runtime/log.ts';
import type { ApiVersion } from '../order/parties.ts';
import type { Decision } from '../order/transition.ts';
import { failureOf } from '../wechatpay/notification-failure.ts';
import type { NotificationFailure } from '../wechatpay/operations.ts';
import { type NotificationRoute, parseNotificationPath } from '../wechatpay/notification-path.ts';
import { beforeTimeIsOver, type CallContext, type StartTimer } from './deadline.ts';
import { readEvent } from './event.ts';
import { acknowledgeNotification, UnknownMerchantError } from '../wechatpay/open.ts';

/** What an operation knows of the call besides the event. */
export interface NotificationContext extends NotificationRoute {
  readonly log: Log;
}

/** Work of a notification route: answers what became of the order, or throws. */
export type NotificationOperation<Dependencies> = (
  event: APIGatewayProxyEventV2,
  dependencies: Dependencies,
  context: NotificationContext,
) => Promise<Decision>;

export type NotificationHandler = (
  event: APIGatewayProxyEventV2,
  context: CallContext,
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * Makes a Lambda handler that acknowledges a notification only when what it reports is recorded,
 * now or earlier. Failures carry a stable code for whoever reads WeChat's side, and quote nothing
 * from a message that was not verified.
 */
export function notificationHandler<Dependencies>(
  operation: NotificationOperation<Dependencies>,
  dependencies: () => Dependencies,
  functionLog: FunctionLog,
  startTimer?: StartTimer,
): NotificationHandler {
  return async (received, context) => {
    const event = readEvent(received);
    const requestId = event.requestContext.requestId || context.awsRequestId;
    const log = functionLog.forRequest(requestId, context.awsRequestId);
    const route = parseNotificationPath(event.rawPath);
    if (!route) {
      log.warn('a notification came to an address that no order names');
      return answer('v2', requestId, { statusCode: 404, code: 'ROUTE_NOT_FOUND' });
    }
    try {
      const work = operation(event, dependencies(), { ...route, log });
      const decision = await beforeTimeIsOver(work, context, startTimer);
      const failure = failureOf(decision);
      countOutcome(log, decision, failure);
      return answer(route.apiVersion, requestId, failure);
    } catch (error) {
      log.count('NotificationRefused');
      return answer(route.apiVersion, requestId, reportFailure(namePassingFailure(error), log));
    } finally {
      functionLog.flush();
    }
  };
}

function countOutcome(
  log: Log,
  { kind }: Decision,
  failure: NotificationFailure | undefined,
): void {
  if (failure) {
    log.count('NotificationRefused');
  } else if (kind === 'duplicate') {
    log.count('NotificationRepeated');
  }
}

function reportFailure(error: unknown, log: Log): NotificationFailure {
  const code = error instanceof ServiceError ? error.code : 'INTERNAL_ERROR';
  if (error instanceof WechatPaySignatureError) {
    log.warn('notification refused', describeError(error));
    countFailure(log, error);
    return { statusCode: 401, code };
  }
  if (error instanceof WechatPayMalformedMessageError) {
    log.warn('notification refused', describeError(error));
    return { statusCode: 400, code };
  }
  // Whoever calls may make up a merchant; no owner need look into that.
  if (error instanceof UnknownMerchantError) {
    log.warn('a notification came for a merchant that is not served here', describeError(error));
    return { statusCode: 404, code: 'ROUTE_NOT_FOUND' };
  }
  log.error('notification not processed; WeChat sends it again', describeError(error));
  countFailure(log, error);
  return { statusCode: error instanceof TemporarilyUnavailableError ? 503 : 500, code };
}

function answer(
  apiVersion: ApiVersion,
  requestId: string,
  failure: NotificationFailure | undefined,
): APIGatewayProxyStructuredResultV2 {
  const { statusCode, contentType, body } = acknowledgeNotification(apiVersion, failure);
  return {
    statusCode,
    headers: { 'content-type': contentType, 'x-request-id': requestId },
    body,
  };
}
