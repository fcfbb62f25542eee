/** An error and what caused it, in one readable text. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const cause = error.cause;
  // A system error's own text adds nothing to a message that already names the port or the file.
  if (cause === undefined || (cause as NodeJS.ErrnoException).syscall !== undefined) {
    return error.message;
  }
  return `${error.message}\n  because: ${explainFailure(cause)}`;
}
