/** What a function does once per environment: make its dependencies, and warm them up. */
import type { Environment } from './environment.ts';

/** Makes a value at the first call and keeps it; a failed attempt is repeated at the next call. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * Runs the slow first steps (keys, connections) while Lambda starts the function, when they cost
 * the caller no time. Never rejects: whatever fails here is done again, and reported, by the
 * first request that needs it.
 */
export async function warmUp(
  environment: Environment,
  steps: () => readonly Promise<unknown>[],
): Promise<void> {
  // Set by Lambda only, so importing a function in a test or a tool does no I/O.
  if (!environment['AWS_LAMBDA_INITIALIZATION_TYPE']) {
    return;
  }
  try {
    await Promise.allSettled(steps());
  } catch {
    // A wrong setting: the first request names it in its error.
  }
}
