/** A new merchant with keys of this machine's own making: what `.local/merchant.json` begins with. */
import { type Credentials, createMerchant as create } from './book/credentials.ts';
import { machine } from './surroundings/machine.ts';

/** Nothing in it is worth protecting: it opens only this simulator. */
export const createMerchant = async (): Promise<Credentials> => create(machine);
