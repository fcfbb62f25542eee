/** For a call to an address that WeChat does not have: the nearest one that it has, and what differs. */

const TRANSACTIONS = ['/v3/pay/transactions', '/v3/pay/partner/transactions'].flatMap((base) => [
  `POST ${base}/jsapi`,
  `POST ${base}/native`,
  `POST ${base}/out-trade-no/{out_trade_no}/close`,
  `GET ${base}/out-trade-no/{out_trade_no}`,
  `GET ${base}/id/{transaction_id}`,
]);

const SERVED = [
  'POST /pay/unifiedorder',
  'POST /pay/orderquery',
  'POST /pay/closeorder',
  'POST /secapi/pay/refund',
  'POST /pay/refundquery',
  'POST /pay/downloadbill',
  ...TRANSACTIONS,
  'POST /v3/refund/domestic/refunds',
  'GET /v3/refund/domestic/refunds/{out_refund_no}',
  'POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund',
  'GET /v3/bill/tradebill',
  'GET /v3/billdownload/file',
  'GET /v3/certificates',
  'GET /sns/jscode2session',
].map((line) => {
  const [method = '', path = ''] = line.split(' ');
  return { method, path };
});

/** One mistake that clients make with addresses: how to undo it, and its name. */
interface Slip {
  readonly undo: (path: string) => string;
  readonly en: string;
}

const SLIPS: readonly Slip[] = [
  {
    undo: (path) =>
      path.replace(/^\/+(https?:\/*)?[a-z0-9]*\.?(mch\.)?weixin\.qq\.com(:\d+)?(?=\/|$)/i, ''),
    en: 'the host is no part of the path',
  },
  { undo: (path) => path.replaceAll(/\/{2,}/g, '/'), en: 'there is a slash too many' },
  { undo: (path) => path.replace(/(?<=.)\/$/, ''), en: 'there is no slash at the end' },
  {
    undo: (path) => path.replace(/^\/(sandboxnew|xdc\/apiv2sandbox)(?=\/)/, ''),
    en: 'there is no sandbox: the simulator stands for WeChat itself',
  },
  { undo: (path) => path.replace(/^\/v[123](?=\/v3\/)/i, ''), en: 'the version is there twice' },
  {
    undo: (path) =>
      path.replace(
        /^\/v[23](?=\/((secapi\/)?pay\/(unifiedorder|orderquery|closeorder|refund|refundquery|downloadbill)|sns\/\w+)$)/i,
        '',
      ),
    en: 'this address has no version in it',
  },
  {
    undo: (path) =>
      path.replace(
        /^(?=\/(pay\/(partner\/)?transactions\/|refund\/domestic\/|bill\/|certificates$))/,
        '/v3',
      ),
    en: 'the addresses of API v3 begin with /v3',
  },
  { undo: lowerWords, en: 'addresses are written in lower case' },
];

/** All but order numbers. */
function lowerWords(path: string): string {
  const served = SERVED.find((one) => fits(one.path, path.toLowerCase()));
  return served ? fill(served.path, path) : path;
}

const isPlaceholder = (part: string) => part.startsWith('{');

function fits(template: string, path: string): boolean {
  const parts = path.split('/');
  const wanted = template.split('/');
  return (
    parts.length === wanted.length &&
    wanted.every((part, index) => part === parts[index] || (isPlaceholder(part) && parts[index]))
  );
}

/** The template with the numbers of the path in it. */
function fill(template: string, path: string): string {
  const parts = path.split('/');
  return template
    .split('/')
    .map((part, index) => (isPlaceholder(part) ? (parts[index] ?? part) : part))
    .join('/');
}

/** How many letters must be put in, taken out or replaced. */
function countEdits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const FARTHEST_EDITS = 12;
const LONGEST_PATH = 200;

/** `did you mean POST /v3/pay/transactions/jsapi? There is a slash too many`; undefined when nothing is near. */
export function hintAtAddress(method: string, path: string): string | undefined {
  const slips: string[] = [];
  let mended = path;
  for (const { undo, en } of SLIPS) {
    const next = undo(mended);
    if (next !== mended) {
      slips.push(en);
    }
    mended = next;
  }
  const possible = SERVED.filter((one) => fits(one.path, mended));
  const served = possible.find((one) => one.method === method) ?? possible[0];
  if (served) {
    const reasons = served.method === method ? slips : [...slips, `it takes ${served.method}`];
    return `did you mean ${served.method} ${fill(served.path, mended)}? ${reasons.join('; ')}`;
  }
  return mended.length > LONGEST_PATH ? undefined : hintAtNearest(mended);
}

function hintAtNearest(path: string): string | undefined {
  const [nearest] = SERVED.map((one) => {
    const address = fill(one.path, path);
    return { ...one, address, edits: countEdits(address, path) };
  }).toSorted((a, b) => a.edits - b.edits);
  return nearest && nearest.edits <= Math.min(FARTHEST_EDITS, nearest.path.length / 2)
    ? `the nearest address is ${nearest.method} ${nearest.path}`
    : undefined;
}
