/**
 * Says in a refused login's answer, and in the log, that the simulator never issued the code. The
 * functions cannot know that, as WeChat would not say it: only the local stack adds it.
 */
import type { OutputSink } from './aws/function-output.ts';
import type { InvocationOutcome, LocalFunction } from './aws/lambda.ts';

const FUNCTION_NAME = 'login';
const QUESTION_TIMEOUT_MS = 1000;

interface Advice {
  readonly en: string;
  readonly zh: string;
}

interface HttpResult {
  readonly body: string;
}

/** The same functions, but for the message of a login that failed for that reason. */
export function withLoginAdvice(
  functions: ReadonlyMap<string, LocalFunction>,
  simulatorUrl: string,
  sink: OutputSink,
): Map<string, LocalFunction> {
  const advised = new Map(functions);
  const login = functions.get(FUNCTION_NAME);
  if (login !== undefined) {
    const invoke = async (event: unknown): Promise<InvocationOutcome> => {
      const outcome = await login.invoke(event);
      return advise(outcome, event, simulatorUrl, sink).catch(() => outcome);
    };
    advised.set(FUNCTION_NAME, { definition: login.definition, invoke });
  }
  return advised;
}

/** Rejects when there is nothing to add. */
async function advise(
  outcome: InvocationOutcome,
  event: unknown,
  simulatorUrl: string,
  sink: OutputSink,
): Promise<InvocationOutcome> {
  if (!outcome.ok) {
    return outcome;
  }
  const result = outcome.result as HttpResult;
  const body = JSON.parse(result.body) as { error?: { code?: string; message: string } };
  if (body.error?.code !== 'LOGIN_CODE_INVALID') {
    return outcome;
  }
  const advice = await askSimulator(simulatorUrl, readCode(event));
  sink(FUNCTION_NAME, JSON.stringify({ level: 'WARN', message: advice.en }));
  const inChinese = /\p{Script=Han}/u.test(body.error.message);
  const { message: refusal } = body.error;
  const message = inChinese ? `${refusal}${advice.zh}` : `${refusal} ${advice.en}`;
  const advised = { ...body, error: { ...body.error, message } };
  return { ok: true, result: { ...result, body: JSON.stringify(advised) } };
}

function readCode(event: unknown): string {
  const { body = '', isBase64Encoded } = event as { body?: string; isBase64Encoded?: boolean };
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
  return (JSON.parse(text) as { code: string }).code;
}

async function askSimulator(simulatorUrl: string, code: string): Promise<Advice> {
  const url = `${simulatorUrl}/_simulator/login-codes/${encodeURIComponent(code)}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(QUESTION_TIMEOUT_MS) });
  const { advice } = (await answer.json()) as { advice?: Advice };
  if (advice === undefined) {
    throw new Error('the simulator knows this code');
  }
  return advice;
}
