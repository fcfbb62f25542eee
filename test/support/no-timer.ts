/** A timer for tests in which nothing takes too long. */
export const neverRuns = () => () => undefined;
