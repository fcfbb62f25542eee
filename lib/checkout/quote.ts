/** Quotes of the merchant's own backend: JWTs signed with HS256. */
import { errors, jwtVerify, type JWTPayload } from 'jose';
import * as v from 'valibot';
import { InvalidRequestError } from '../errors.ts';
import { fieldPath } from '../http/input.ts';
import type { Problem } from '../http/problem-texts.ts';
import { orderDetail, quoteOptions } from '../order/options-schema.ts';
import { GOODS_KINDS, type GoodsKind } from '../order/goods-kind.ts';
import type { OrderDetail, OrderOptions } from '../order/options.ts';

/** A price that the merchant's own backend vouches for. */
export interface Quote extends OrderOptions {
  readonly outTradeNo: string;
  readonly totalFen: number;
  readonly description: string;
  readonly openid?: string | undefined;
  readonly attach?: string | undefined;
  readonly detail?: OrderDetail | undefined;
  /** `virtual` as soon as anything in it is. */
  readonly kind?: GoodsKind | undefined;
  /** How long the order can be paid, counted from its creation. */
  readonly lifetimeSeconds?: number | undefined;
}

/** A shop that means milliseconds would sign a quote that is good for 50,000 years. */
const MAX_QUOTE_AHEAD_SECONDS = 7 * 86_400;

const quoteClaims = v.object({
  ...quoteOptions.entries,
  outTradeNo: v.string(),
  totalFen: v.number(),
  description: v.string(),
  openid: v.optional(v.string()),
  attach: v.optional(v.string()),
  detail: v.optional(orderDetail),
  kind: v.optional(v.picklist(GOODS_KINDS)),
  lifetimeSeconds: v.optional(v.number()),
});

/** The claims of RFC 7519 may stand beside ours. */
const KNOWN_CLAIMS: ReadonlySet<string> = new Set([
  ...Object.keys(quoteClaims.entries),
  'iat',
  'nbf',
  'exp',
  'iss',
  'jti',
  'aud',
  'sub',
]);

/** What a quote is verified with. */
export interface QuoteTerms {
  /** Keys it may be signed with, the likeliest first. */
  readonly quoteKeys: AsyncIterable<string>;
  readonly nowMs: number;
}

/**
 * The content of a quote whose signature and life time hold. Its values still have to pass the
 * order rules.
 *
 * @throws {InvalidRequestError} `QUOTE_EXPIRED` or `QUOTE_INVALID`, saying which part is wrong.
 */
export async function verifyQuote(quote: string, terms: QuoteTerms): Promise<Quote> {
  const payload = await verifiedClaims(quote, terms);
  assertClaims(payload, terms.nowMs);
  const parsed = v.safeParse(quoteClaims, payload);
  if (parsed.success) {
    return parsed.output;
  }
  const [issue] = parsed.issues;
  throw invalidQuote(
    issue.received === 'undefined'
      ? 'claim {claim} is missing'
      : 'claim {claim} has a wrong type or value',
    fieldPath(issue),
  );
}

/** The claims under the first key that the signature is of. */
async function verifiedClaims(
  quote: string,
  { quoteKeys, nowMs }: QuoteTerms,
): Promise<JWTPayload> {
  let refusal = invalidQuote('this shop does not accept quotes (no quoteKey)');
  for await (const quoteKey of quoteKeys) {
    try {
      const { payload } = await jwtVerify(quote, new TextEncoder().encode(quoteKey), {
        algorithms: ['HS256'],
        requiredClaims: ['exp'],
        currentDate: new Date(nowMs),
      });
      return payload;
    } catch (error) {
      refusal = refusalOf(error);
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) {
        break;
      }
    }
  }
  throw refusal;
}

/** A misspelt claim is refused, not ignored: with `openId`, a quote would be good for every buyer. */
function assertClaims(payload: JWTPayload, nowMs: number): void {
  const unknown = Object.keys(payload).find((claim) => !KNOWN_CLAIMS.has(claim));
  if (unknown !== undefined) {
    throw invalidQuote('claim {claim} is unknown', unknown.slice(0, 64));
  }
  if (Number(payload.exp) > nowMs / 1000 + MAX_QUOTE_AHEAD_SECONDS) {
    throw invalidQuote('exp is too far ahead: it is in seconds, not milliseconds');
  }
}

function refusalOf(error: unknown): InvalidRequestError {
  if (error instanceof errors.JWTExpired) {
    return new InvalidRequestError('QUOTE_EXPIRED');
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalidQuote(
      error.reason === 'missing' ? 'claim {claim} is missing' : 'claim {claim} does not hold',
      error.claim,
    );
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return invalidQuote(
      'its signature does not match quoteKey (the key is the text of quoteKey itself, not decoded from hex or Base64)',
    );
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return invalidQuote('it must be signed with HS256');
  }
  return invalidQuote('it is not a signed JWT');
}

const invalidQuote = (problem: Problem, claim?: string) =>
  new InvalidRequestError('QUOTE_INVALID', { problem, ...(claim !== undefined && { claim }) });
