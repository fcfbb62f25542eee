/** Known answers of API v3, with their sources in the file itself. */
import { readFileSync } from 'node:fs';

export interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly method: 'GET' | 'POST';
  readonly url_line: string;
  readonly timestamp: string;
  readonly nonce_str: string;
  readonly body: string;
  readonly message: string;
  readonly expected_signature: string;
  readonly authorization_header: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly headers_override?: Readonly<Record<string, string>>;
  readonly appId: string;
  readonly timeStamp: string;
  readonly nonceStr: string;
  readonly line4: string;
  readonly cipher: string;
  readonly apiv3_key: string;
  readonly ciphertext: string;
  readonly nonce: string;
  readonly associated_data: string;
  readonly expected_plaintext: string;
  readonly expected_serial: string;
  readonly response_body: string;
  readonly now_for_clock_check: number;
  readonly expected: boolean;
  readonly signature: string;
}

interface Key {
  readonly pem_private: string;
  readonly pem_public: string;
  readonly pem_certificate: string;
  readonly mchid: string;
  readonly serial_no: string;
}

const file = JSON.parse(
  readFileSync(new URL('../../vectors/v3.json', import.meta.url), 'utf8'),
) as { readonly keys: Readonly<Record<string, Key>>; readonly vectors: readonly Vector[] };

export function vectorsOf(kind: string): Vector[] {
  return file.vectors.filter((vector) => vector.kind === kind);
}

export function vector(id: string): Vector {
  const found = file.vectors.find((one) => one.id === id);
  if (!found) {
    throw new Error(`no vector ${id}`);
  }
  return found;
}

export function keyOf(name: string): Key {
  const found = file.keys[name];
  if (!found) {
    throw new Error(`no key ${name}`);
  }
  return found;
}
