/** Takes out of a recorded message what lets somebody act as a buyer, and the SDK's signature. */

const SECRET_HEADERS = new Set(['authorization', 'cookie', 'set-cookie', 'x-amz-security-token']);
/** JSON fields whose text is a bearer token, a key, or a buyer's bank card. */
const SECRET_FIELDS =
  /("(?:token|quote|session_key|appSecret|bankAccount|realName)"\s*:\s*")(?:[^"\\]|\\.)*/g;

/** Keeps the scheme (`Bearer ***`), so that one still sees what kind it was. */
export function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      SECRET_HEADERS.has(name.toLowerCase()) ? maskValue(value) : value,
    ]),
  );
}

export function maskBody(body: string): string {
  return body.replaceAll(SECRET_FIELDS, '$1***');
}

function maskValue(value: string): string {
  const [scheme, ...rest] = value.split(' ');
  return rest.length > 0 ? `${scheme} ***` : '***';
}
