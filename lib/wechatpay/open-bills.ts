/** Opens the bills of either API version: for the one function that needs them. */
import type { ApiVersion } from '../order/parties.ts';
import { connect } from './open.ts';
import type { Bills } from './operations.ts';
import { openBills as openBillsV2 } from './v2/bills.ts';
import { openBills as openBillsV3 } from './v3/bills.ts';
import { openV3Client } from './v3/index.ts';

/** The bills of the one merchant that there is. Does no I/O until a bill is asked for. */
export function openBills(
  apiVersion: ApiVersion,
  ...connection: Parameters<typeof connect>
): Bills {
  const connected = connect(...connection);
  return apiVersion === 'v2' ? openBillsV2(connected) : openBillsV3(openV3Client(connected));
}
