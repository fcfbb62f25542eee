import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readBillFile } from '../../lib/wechatpay/bill-file.ts';
import { memoryFile, saved, textOf } from '../support/bill-files.ts';

const fileWith = async (bytes: Buffer) => {
  const file = memoryFile();
  await saved({ saveTo: { ...file, maxBytes: 0, maxSilenceMs: 0 } }, bytes);
  return file;
};

test('a file whose text is longer than any bill is not ready', async () => {
  const bytes = gzipSync(Buffer.alloc(50_000));

  expect(await readBillFile(await fileWith(bytes), bytes, undefined, 49_999)).toEqual({
    kind: 'not-ready',
    reason: 'the file is too large',
  });
  expect(await readBillFile(await fileWith(bytes), bytes, undefined, 50_000)).toMatchObject({
    kind: 'downloaded',
  });
});

test('a file that is damaged after it was downloaded fails whoever reads it', async () => {
  const bytes = gzipSync('bill');
  const file = await fileWith(bytes);
  const result = await readBillFile(file, bytes);
  await saved({ saveTo: { ...file, maxBytes: 0, maxSilenceMs: 0 } }, bytes.subarray(0, 12));

  await expect(textOf(result)).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
});
