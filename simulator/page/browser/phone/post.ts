/** Asks the simulator, which is on the page's own origin. */

export async function post(path: string, body: object): Promise<unknown> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const value = (await answer.json()) as { error?: { message: string } };
  if (!answer.ok) {
    throw new Error(value.error?.message ?? `status ${answer.status}`);
  }
  return value;
}
