/** A log that nobody reads: what happens here is said on the terminal, and its events follow. */
import type { Log } from '../../lib/runtime/log.ts';

const ignore = () => undefined;

export const quietLog: Log = { info: ignore, warn: ignore, error: ignore, count: ignore };
