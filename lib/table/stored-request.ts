/** A request to WeChat as a row keeps it: the fields of v2, or path and body of v3. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { ApiVersion } from '../order/parties.ts';
import type { StoredRequest } from '../order/stored-request.ts';
import { AttributeError, type Item, oneOf, texts, textsOf } from './attributes.ts';

/** Of a row that has requests. */
export const API_VERSIONS = ['v2', 'v3'] as const satisfies readonly ApiVersion[];

export function storedRequestToValue(request: StoredRequest): AttributeValue {
  const { apiVersion } = request;
  return {
    M: texts(apiVersion === 'v2' ? request.fields : { path: request.path, body: request.body }),
  };
}

/** @throws {AttributeError} when the row's request is not one of its version. */
export function storedRequestFrom(item: Item, name: string): StoredRequest {
  const apiVersion = oneOf(item, 'apiVersion', API_VERSIONS);
  const fields = textsOf(item, name);
  const { path, body } = fields;
  // `body` alone is a field of v2: what the buyer reads.
  if (apiVersion === 'v2' && path === undefined && Object.keys(fields).length > 0) {
    return { apiVersion, fields };
  }
  if (apiVersion === 'v3' && path !== undefined && body !== undefined) {
    return { apiVersion, path, body };
  }
  throw new AttributeError(name, `the attribute ${name} is not one of API ${apiVersion}`);
}
