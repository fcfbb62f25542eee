/** Structured log and metrics of a function. Nothing here ever receives a key or a whole body. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { ServiceError } from '../errors.ts';

/** Every metric this service emits; the alarms in `deploy/alarms.yml` name the same ones. */
export type MetricName =
  | 'OrderCreated'
  | 'OrderPaid'
  | 'OrderClosed'
  | 'PaymentAfterClose'
  | 'TransactionMismatch'
  | 'SignatureRejected'
  | 'UnknownOrderNotified'
  /** WeChat was told to send it again, whatever the reason; the log line beside it names that. */
  | 'NotificationRefused'
  /** It was received and changed nothing. */
  | 'NotificationRepeated'
  | 'ReconcileOrderFailed'
  | 'ReconcileTimeRanOut'
  | 'ReconcileWechatSilent'
  /** Two levels: what a run left due, and for how long the oldest of it has been. */
  | 'ReconcileBacklog'
  | 'ReconcileOldestDueSeconds'
  | 'PaymentFoundByReconcile'
  | 'RefundAbnormal'
  | 'RefundWaitsForBalance'
  | 'RefundOverdue'
  | 'RefundMismatch'
  | 'OrderUnreadable'
  | 'OrderUnsettled'
  | 'BillDifference'
  | 'BillNotReady'
  | 'EventUnreadable'
  | 'WechatPayRefused'
  | 'ConfigError'
  /** The table or the secret store kept a request from being served. */
  | 'StorageUnavailable'
  /** A level and not a count: the smallest of an hour is what it says. */
  | 'MerchantCertificateDaysLeft';

/** Plain values that may be logged: codes, numbers, states, ids. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What operations need of a log, bound to one invocation. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Adds `count` to a metric of this invocation. */
  count(metric: MetricName, count?: number): void;
}

export interface FunctionLog {
  /**
   * A log whose lines all carry both ids: the one that the caller was told, and Lambda's own, which
   * stands in the platform's lines (START, REPORT, a timeout). Without a second they are the same.
   */
  forRequest(requestId: string, lambdaRequestId?: string): Log;
  /** Writes the metrics of the invocation, if there are any. */
  flush(): void;
}

/** The production log of one function: JSON lines and CloudWatch embedded metrics on stdout. */
export function createLog(functionName: string): FunctionLog {
  const logger = new Logger();
  const metrics = new Metrics();
  return {
    forRequest(requestId, lambdaRequestId = requestId) {
      const write =
        (level: 'info' | 'warn' | 'error') =>
        (message: string, fields: LogFields = {}) =>
          logger[level](message, { function: functionName, requestId, lambdaRequestId, ...fields });
      return {
        info: write('info'),
        warn: write('warn'),
        error: write('error'),
        count: (metric, count = 1) => {
          metrics.addMetric(metric, MetricUnit.Count, count);
          metrics.addMetadata('lambdaRequestId', lambdaRequestId);
        },
      };
    },
    flush: () => {
      if (metrics.hasStoredMetrics()) {
        metrics.publishStoredMetrics();
      }
    },
  };
}

/** The longest text of a failure in a log line: callers and WeChat choose some of these texts. */
const MAX_TEXT_LENGTH = 500;
const MAX_STACK_LENGTH = 4_000;

/** What may be said of a failure: names, codes and reasons, never a message's content. */
export function describeError(error: unknown): LogFields {
  const { stack, ...fields } = fieldsOf(error);
  const shortened = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? cut(value, MAX_TEXT_LENGTH) : value,
  ]);
  return {
    ...Object.fromEntries(shortened),
    ...(typeof stack === 'string' && { stack: cut(stack, MAX_STACK_LENGTH) }),
  };
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function fieldsOf(error: unknown): LogFields {
  if (!(error instanceof Error)) {
    return { error: typeof error };
  }
  const { cause } = error;
  return {
    error: error.name,
    ...(error instanceof ServiceError && {
      code: error.code,
      retryable: error.retryable,
      ...('outcome' in error && { outcome: String(error.outcome) }),
      ...('attempts' in error && { attempts: Number(error.attempts) }),
      ...('wechatCode' in error && { wechatCode: String(error.wechatCode) }),
      ...error.parameters,
    }),
    reason: error.message,
    ...(cause instanceof Error && { cause: `${cause.name}: ${cause.message}` }),
    ...(!(error instanceof ServiceError) && error.stack && { stack: error.stack }),
  };
}
