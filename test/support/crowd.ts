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

/** Each of so many orders of one latte is paid at WeChat; answers their numbers in order. */
export async function payInCrowd(stack: ShopAddresses, count: number): Promise<string[]> {
  const buyers = await logInCrowd(stack, 8);
  const orders: string[] = [];
  await inParallel(count, buyers.length, async (index) => {
    const buyer = buyers[index % buyers.length];
    const prepaid = await buyer?.prepay({ items: [{ sku: 'latte', quantity: 1 }] });
    const paid = prepaid && (await buyer?.pay(prepaid.body.requestPayment));
    if (paid?.body.errMsg !== 'requestPayment:ok') {
      throw new Error(`order ${index} could not be paid`);
    }
    orders.push(prepaid?.body.outTradeNo ?? '');
  });
  return orders.toSorted();
}
