/** A directory in memory, as one run has it on disk. */
import { type BillFile } from '../../lib/wechatpay/bill-file.ts';
import { memoryFile } from './bill-files.ts';

export function memoryFiles() {
  const files = new Map<string, BillFile>();
  return {
    names: () => [...files.keys()],
    file: (name: string): BillFile => {
      const found = files.get(name) ?? memoryFile();
      files.set(name, found);
      return found;
    },
    remove: async () => files.clear(),
  };
}
