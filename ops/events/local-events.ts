/** The events that a local stack published. */
import type { StoredEvent } from '../../local/aws/event-bridge/event-store.ts';
import { UsageError } from '../errors.ts';
import type { Texts } from '../texts/en.ts';

export interface ListOptions {
  readonly order?: string;
  readonly type?: string;
  readonly after?: string;
}

/** In order, page by page. @throws {UsageError} when `after` is no id. */
export async function listLocalEvents(
  apiUrl: string,
  { order, type, after = '0' }: ListOptions,
  say: Texts,
): Promise<readonly StoredEvent[]> {
  if (!/^\d{1,15}$/.test(after)) {
    throw new UsageError(say.badAfter);
  }
  const found: StoredEvent[] = [];
  let last = Number(after);
  for (;;) {
    const answer = await fetch(`${apiUrl}/_local/events?after=${last}`);
    const { events } = (await answer.json()) as { readonly events: readonly StoredEvent[] };
    const end = events.at(-1);
    if (!end) {
      return found;
    }
    last = end.id;
    const isAsked = ({ detailType, detail }: StoredEvent) =>
      (type === undefined || detailType === type) &&
      (order === undefined || detail['outTradeNo'] === order);
    found.push(...events.filter(isAsked));
  }
}
