/** Many buyers at once, with bounded concurrency. */
import { type Buyer, logIn, type ShopAddresses } from './shop.ts';

/** Runs `count` jobs, `concurrency` at a time; a failed one fails the whole. */
export async function inParallel(
  count: number,
  concurrency: number,
  job: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await job(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
}

export async function logInCrowd(stack: ShopAddresses, size: number): Promise<readonly Buyer[]> {
  const buyers: Buyer[] = [];
  await inParallel(size, 8, async (index) => {
    buyers[index] = await logIn(stack, `buyer-${index}`);
  });
  return buyers;
}
