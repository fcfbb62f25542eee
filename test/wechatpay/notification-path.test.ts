import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseNotificationPath,
  paymentNotificationUrl,
  refundNotificationUrl,
} from '../../lib/wechatpay/notification-path.ts';

const BASE = 'https://pay.example.com';

describe('the notify_url of an order', () => {
  test.each([
    ['', 'v2', 'https://pay.example.com/notify/v2/payment'],
    ['', 'v3', 'https://pay.example.com/notify/v3'],
    ['tea', 'v2', 'https://pay.example.com/notify/tea/v2/payment'],
    ['tea', 'v3', 'https://pay.example.com/notify/tea/v3'],
  ] as const)('of merchant "%s" and API %s is %s', (merchantKey, apiVersion, url) => {
    expect(paymentNotificationUrl(BASE, { merchantKey, apiVersion })).toBe(url);
  });

  test.each([
    ['', 'v2', 'https://pay.example.com/notify/v2/refund'],
    ['', 'v3', 'https://pay.example.com/notify/v3'],
    ['tea', 'v2', 'https://pay.example.com/notify/tea/v2/refund'],
    ['tea', 'v3', 'https://pay.example.com/notify/tea/v3'],
  ] as const)('of a refund, merchant "%s" and API %s, is %s', (merchantKey, apiVersion, url) => {
    expect(refundNotificationUrl(BASE, { merchantKey, apiVersion })).toBe(url);
    expect(parseNotificationPath(new URL(url).pathname)).toEqual({ merchantKey, apiVersion });
  });

  test('leads back to its merchant and version, below any base', () => {
    const merchantKey = fc.oneof(
      fc.constant(''),
      fc.stringMatching(/^[a-z0-9]{3,16}$/).filter((key) => key !== 'notify'),
    );
    const routes = fc.record({ merchantKey, apiVersion: fc.constantFrom('v2', 'v3') });
    const bases = fc.constantFrom(
      BASE,
      `${BASE}/production`,
      `${BASE}/notify`,
      `${BASE}/notify/v3`,
    );
    fc.assert(
      fc.property(bases, routes, (base, route) => {
        const { pathname } = new URL(paymentNotificationUrl(base, route));

        expect(parseNotificationPath(pathname)).toEqual(route);
      }),
    );
  });
});

describe('the path of a notification', () => {
  test.each([
    ['/notify/v2/payment', '', 'v2'],
    ['/notify/v2/refund', '', 'v2'],
    ['/notify/v3', '', 'v3'],
    ['/notify/tea/v2/payment', 'tea', 'v2'],
    ['/notify/tea/v2/refund', 'tea', 'v2'],
    ['/notify/tea/v3', 'tea', 'v3'],
    ['/notify/a123456789012345/v3', 'a123456789012345', 'v3'],
    ['/production/notify/v3', '', 'v3'],
  ])('%s is of merchant "%s" and API %s', (path, merchantKey, apiVersion) => {
    expect(parseNotificationPath(path)).toEqual({ merchantKey, apiVersion });
  });

  test.each([
    '/',
    '/notify',
    '/notify/',
    '/notify/v2',
    '/notify/v2/payments',
    '/notify/v3/',
    '/notify/v3/payment',
    '/notify/v33',
    '/notify/v4',
    '/renotify/v3',
    '/notify/te/v3',
    '/notify/TEA/v3',
    '/notify/tea_1/v3',
    '/notify/a1234567890123456/v3',
    '/notify/tea/more/v3',
    '/notify//v3',
    '/notify/tea%2Fv3',
    '/notify/v3\n',
    '/orders/notify',
  ])('%j is none', (path) => {
    expect(parseNotificationPath(path)).toBeUndefined();
  });
});
