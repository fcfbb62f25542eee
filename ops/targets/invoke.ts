/** Runs a function of a deployed stage. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

/** Lambda ends a function after 15 minutes at most; nothing is run twice because an answer is late. */
const TIMEOUT_MS = 16 * 60_000;

/** @throws {Error} with the function's own words when it failed. */
export async function invokeOnStage(functionName: string, event: object): Promise<unknown> {
  const client = new LambdaClient({
    maxAttempts: 1,
    requestHandler: { requestTimeout: TIMEOUT_MS },
  });
  try {
    const { Payload, FunctionError } = await client.send(
      new InvokeCommand({
        FunctionName: functionName,
        Payload: Buffer.from(JSON.stringify(event)),
      }),
    );
    const content: unknown = JSON.parse(Buffer.from(Payload ?? []).toString() || 'null');
    if (FunctionError !== undefined) {
      const { errorMessage } = (content ?? {}) as { readonly errorMessage?: string };
      throw new Error(errorMessage ?? FunctionError);
    }
    return content;
  } finally {
    client.destroy();
  }
}
