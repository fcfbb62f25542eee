/** Talks to the simulator and, through it, to the local stack: both on the page's own origin. */

class BackendError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'BackendError';
    this.status = status;
  }
}

/** JSON in and out; throws with the other side's own words. */
async function ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
  const answer = await fetch(path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const value = (await answer.json()) as { error?: { message?: string } };
  if (!answer.ok) {
    throw new BackendError(answer.status, value.error?.message ?? `status ${answer.status}`);
  }
  return value as T;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Asks the API as the merchant's own people do; a refusal is an answer. */
export async function askAsMerchant(
  path: string,
  body: object,
  headers: Record<string, string>,
): Promise<ApiAnswer> {
  const answer = await fetch(`/_page/merchant${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as ApiAnswer['body'] };
}

export const local = <T>(method: 'GET' | 'POST', path: string, body?: object) =>
  ask<T>(method, `/_page/api/_local${path}`, body);

export const simulator = <T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
  ask<T>(method, `/_simulator${path}`, body);
