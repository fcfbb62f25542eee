import { expect, test } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { readMerchantSecret } from '../../lib/secrets/merchant.ts';
import { readMiniProgramSecret } from '../../lib/secrets/mini-program.ts';

test('a secret that is about to be written is judged as the functions will judge it', () => {
  const text = JSON.stringify({ appid: 's3cret', mchid: 's3cret' });
  const reading = [
    () => readMerchantSecret('shop/merchant', text, 'v2'),
    () => readMiniProgramSecret('shop/mini-program', text),
  ];

  for (const read of reading) {
    expect(read).toThrow(ConfigError);
    expect(read).not.toThrow(/s3cret/);
  }
});
