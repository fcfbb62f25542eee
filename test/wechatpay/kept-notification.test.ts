/** What may be kept of a message from WeChat, in either version, and how it is read again. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { WechatPayMalformedMessageError } from '../../lib/errors.ts';
import { readKeptNotification } from '../../lib/wechatpay/open.ts';
import { type NotificationChange, VERSIONS } from '../contract/wechat-pay.ts';

/** What proves a message, opens it, or makes it unlike others, as the wire has it. */
const SECRETS = [
  /"(?:nonce|ciphertext)":"([^"]+)"/g,
  /<(?:sign|nonce_str|req_info)><!\[CDATA\[([^\]]+)/g,
];

describe.each(VERSIONS)(
  'what is kept of a message of API $name',
  ({ name, open, notification }) => {
    const parse = (change: NotificationChange = {}) =>
      open({ kind: 'closed' }).wechatPay.parseNotification(notification(change));

    test.each(['payment', 'refund'] as const)(
      'says of a %s what the message said, without a key, and has nothing that proves or opens it',
      async (kind) => {
        const { message, ...notified } = await parse({ kind });
        const { body, headers } = notification({ kind });
        const secrets = [
          ...Object.values(headers),
          ...SECRETS.flatMap((secret) =>
            [...Buffer.from(body).toString().matchAll(secret)].map(([, value]) => value),
          ),
        ];

        expect(readKeptNotification(name, message.content)).toEqual(notified);
        expect(message.content).toContain('order-0001');
        expect(secrets.length).toBeGreaterThan(1);
        expect(secrets.filter((secret) => message.content.includes(String(secret)))).toEqual([]);
        expect(message.content).not.toMatch(/"sign"|nonce|ciphertext/);
      },
    );

    test('is named so that it can be found again', async () => {
      const { message } = await parse();
      const { body } = notification();
      const digest = createHash('sha256').update(body).digest('hex').slice(0, 32);

      expect(message.id).toBe(name === 'v2' ? digest : 'EV-2018022511223320873');
    });

    test.each([
      '',
      'null',
      '[]',
      '{"req_info":null}',
      '{"return_code":"SUCCESS"}',
      '{"event_type":"TRANSACTION.SUCCESS"}',
    ])('is refused when it is no message: %s', (content) => {
      expect(() => readKeptNotification(name, content)).toThrow(WechatPayMalformedMessageError);
    });
  },
);
