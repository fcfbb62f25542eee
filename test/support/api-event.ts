/** Events of an API Gateway HTTP API (payload 2.0) and the log of a function under test. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { FunctionLog } from '../../lib/runtime/log.ts';
import { type RecordingLog, recordingLog } from './recording-log.ts';

export const REQUEST_ID = 'request-0001';

interface Request {
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isBase64Encoded?: boolean;
}

export function apiEvent({ body, headers = {}, isBase64Encoded = false }: Request = {}) {
  return {
    version: '2.0',
    rawPath: '/',
    rawQueryString: '',
    headers,
    requestContext: { requestId: REQUEST_ID, http: { sourceIp: '203.0.113.7' } },
    isBase64Encoded,
    ...(body !== undefined && { body }),
  } as APIGatewayProxyEventV2;
}

export interface RecordedFunction extends FunctionLog {
  readonly log: RecordingLog;
  /** Request ids that a log was asked for, in order. */
  readonly requestIds: string[];
  /** Lambda's own, of the same calls. */
  readonly lambdaRequestIds: string[];
  readonly flushes: () => number;
  /** Everything that was logged, to look for what must not be there. */
  readonly text: () => string;
}

export function recordedFunction(): RecordedFunction {
  const log = recordingLog();
  const requestIds: string[] = [];
  const lambdaRequestIds: string[] = [];
  let flushes = 0;
  return {
    log,
    requestIds,
    lambdaRequestIds,
    forRequest: (requestId, lambdaRequestId = requestId) => {
      requestIds.push(requestId);
      lambdaRequestIds.push(lambdaRequestId);
      return log;
    },
    flush: () => {
      flushes += 1;
    },
    flushes: () => flushes,
    text: () => JSON.stringify(log.lines),
  };
}
