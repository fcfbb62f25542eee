/** The event of a request, whatever invoked the function: an HTTP API, a REST API, or a hand. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? { ...value } : {};

/** Of a caller that no gateway stands before: WeChat wants some address in every order. */
const NO_ADDRESS = '127.0.0.1';

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

/**
 * An event in which every part that is read later has its type, so that nothing of it can throw.
 * What an event of payload format 1.0 calls otherwise is under its name of 2.0; what is of another
 * type is left out.
 */
export function readEvent(event: unknown): APIGatewayProxyEventV2 {
  const { body, pathParameters, ...rest } = fieldsOf(event);
  const context = fieldsOf(rest['requestContext']);
  const http = fieldsOf(context['http']);
  const sourceIp = textOf(fieldsOf(context['identity'])['sourceIp']) ?? textOf(http['sourceIp']);
  const parameters = textsOf(pathParameters);
  const read = {
    ...rest,
    rawPath: textOf(rest['rawPath']) ?? textOf(rest['path']) ?? '',
    headers: { ...textsOf(rest['multiValueHeaders']), ...textsOf(rest['headers']) },
    requestContext: {
      ...context,
      requestId: textOf(context['requestId']) ?? '',
      http: { ...http, sourceIp: sourceIp ?? NO_ADDRESS },
    },
    ...(pathParameters !== undefined && { pathParameters: parameters }),
    ...(typeof body === 'string' && { body }),
    isBase64Encoded: rest['isBase64Encoded'] === true,
  };
  return read as unknown as APIGatewayProxyEventV2;
}

/** Texts by name; of several for one name, all, joined by a comma as in one header line. */
function textsOf(value: unknown): Readonly<Record<string, string>> {
  const texts = Object.entries(fieldsOf(value)).map(([name, one]) => [
    name,
    Array.isArray(one) ? one.map(textOf).filter(Boolean).join(',') : textOf(one),
  ]);
  return Object.fromEntries(texts.filter(([, text]) => text !== undefined));
}
