/** The same thing many times at the same moment; what came of each, in order. */
export const atOnce = <T>(count: number, job: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => job(index)));
