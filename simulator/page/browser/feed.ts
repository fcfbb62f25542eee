/** Follows the messages of both programs: new ones, and answers that come to those already seen. */
import { local, simulator } from './backend.ts';
import type { AnyMessage, LocalMessage, Messages, WechatMessage } from './messages.ts';

const PAUSE_MS = 350;
/** Older than this, a message without an answer will not get one. */
const ANSWER_WITHIN_MS = 60_000;
const KEPT = 1500;

/** Calls `onChange` with all messages, and since when they are shown, whenever something is new. */
export class MessageFeed {
  readonly #onChange: (messages: Messages, sinceEpochMs: number) => void;
  readonly #onConnection: (isConnected: boolean) => void;
  readonly #wechat = new Source<WechatMessage>((after) =>
    simulator('GET', `/messages?after=${after}`),
  );
  readonly #local = new Source<LocalMessage>((after) => local('GET', `/messages?after=${after}`));
  #sinceEpochMs = 0;

  constructor(
    onChange: (messages: Messages, sinceEpochMs: number) => void,
    onConnection: (isConnected: boolean) => void,
  ) {
    this.#onChange = onChange;
    this.#onConnection = onConnection;
  }

  /** Runs as long as the page is open; a hidden page asks for nothing. */
  async follow(): Promise<never> {
    for (;;) {
      if (!document.hidden) {
        await this.poll();
      }
      await new Promise((resolve) => {
        setTimeout(resolve, PAUSE_MS);
      });
    }
  }

  async poll(): Promise<void> {
    const results = await Promise.allSettled([this.#wechat.poll(), this.#local.poll()]);
    this.#onConnection(results.every(({ status }) => status === 'fulfilled'));
    if (results.some((result) => result.status === 'fulfilled' && result.value === 'changed')) {
      this.#emit();
    }
  }

  /** Begins anew with what comes from now on. */
  clear(): void {
    const latest = [...this.#wechat.messages, ...this.#local.messages].map(
      ({ epochMs }) => epochMs,
    );
    // Before the first answer of both programs there may be messages that are not known here yet.
    this.#sinceEpochMs = latest.length === 0 ? Date.now() : Math.max(...latest) + 0.001;
    this.#emit();
  }

  #emit(): void {
    const { messages: wechat } = this.#wechat;
    const { messages: local } = this.#local;
    this.#onChange({ wechat, local }, this.#sinceEpochMs);
  }
}

class Source<M extends AnyMessage> {
  messages: M[] = [];
  readonly #fetch: (after: number) => Promise<{ messages: M[] }>;

  constructor(fetch: (after: number) => Promise<{ messages: M[] }>) {
    this.#fetch = fetch;
  }

  /** The id after which anything may be new: before the first that still waits for its answer. */
  get from(): number {
    const latest = this.messages.at(-1);
    const waiting = this.messages.find(
      ({ response, epochMs }) =>
        response === undefined && (latest?.epochMs ?? 0) - epochMs < ANSWER_WITHIN_MS,
    );
    return (waiting?.id ?? (latest?.id ?? 0) + 1) - 1;
  }

  async poll(): Promise<'changed' | 'same'> {
    const from = this.from;
    const { messages } = await this.#fetch(from).catch((error: unknown) => {
      // A stack that comes back counts from 1 again.
      this.messages = [];
      throw error;
    });
    const before = JSON.stringify(this.messages.filter(({ id }) => id > from));
    if (JSON.stringify(messages) === before) {
      return 'same';
    }
    this.messages = [...this.messages.filter(({ id }) => id <= from), ...messages].slice(-KEPT);
    return 'changed';
  }
}
