/** Notices that this process wrote to the table, so that its stream need not be asked all the time. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

/** Published for every request of `node:http`, before anything of it is sent. */
const CREATED = 'http.client.request.created';
const WRITE = /\.(?:PutItem|UpdateItem|DeleteItem|TransactWriteItems|BatchWriteItem)$/;

/** Calls `onWrite` after every write to this engine from now on. Returns the way back. */
export function watchWrites(endpoint: string, onWrite: () => void): () => void {
  const { host } = new URL(endpoint);
  const look = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    const isWrite = WRITE.test(String(request.getHeader('x-amz-target') ?? ''));
    if (isWrite && request.getHeader('host') === host) {
      request.once('close', onWrite);
    }
  };
  subscribe(CREATED, look);
  return () => {
    unsubscribe(CREATED, look);
  };
}
