/** The few words of CloudFormation and S3 that the operator's tool needs of a stage. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOnLoopback } from '../../local/http-server.ts';

const PAGE = 2;

export interface StageConsole {
  readonly url: string;
  /** Outputs of the one stack, by their keys. */
  readonly outputs: Record<string, string>;
  /** Objects of the one bucket, by their keys. */
  readonly objects: Map<string, string>;
  /** What the functions answer, by their names; a text is the message of one that failed. */
  readonly functions: Map<string, (event: unknown) => object | string>;
  /** Regions that requests were signed for. */
  readonly regions: Set<string>;
  stop(): Promise<void>;
}

/** Answers for one stack and one bucket; a list of objects ends its pages after two. */
export async function startStageConsole(stackName: string, bucket: string): Promise<StageConsole> {
  const outputs: Record<string, string> = {};
  const objects = new Map<string, string>();
  const functions: StageConsole['functions'] = new Map();
  const regions = new Set<string>();
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const [, region = ''] =
      /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
    regions.add(region);
    const url = new URL(request.url ?? '/', 'http://aws.test');
    const [, name] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(url.pathname) ?? [];
    if (name !== undefined) {
      answerLambda(functions.get(name), Buffer.concat(chunks), response);
      return;
    }
    const [status, text] =
      request.method === 'POST'
        ? describeStacks(stackName, outputs, new URLSearchParams(Buffer.concat(chunks).toString()))
        : answerS3(objects, bucket, request.method ?? '', url);
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(text);
  };
  const server = await listenOnLoopback((request, response) => void answer(request, response), {
    port: 0,
  });
  return { url: server.url, outputs, objects, functions, regions, stop: () => server.stop() };
}

function answerLambda(
  run: ((event: unknown) => object | string) | undefined,
  event: Buffer,
  response: ServerResponse,
): void {
  const answer = run?.(JSON.parse(event.toString())) ?? 'there is no such function';
  const hasFailed = typeof answer === 'string';
  response.writeHead(200, {
    'content-type': 'application/json',
    ...(hasFailed && { 'x-amz-function-error': 'Unhandled' }),
  });
  response.end(JSON.stringify(hasFailed ? { errorMessage: answer } : answer));
}

function describeStacks(
  stackName: string,
  outputs: Readonly<Record<string, string>>,
  call: URLSearchParams,
): [number, string] {
  const named = call.get('StackName');
  if (call.get('Action') !== 'DescribeStacks' || named !== stackName) {
    const message = `Stack with id ${named} does not exist`;
    return [
      400,
      `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`,
    ];
  }
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return [
    200,
    `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>${stackName}</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><CreationTime>2026-03-01T00:00:00Z</CreationTime><Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
  ];
}

function answerS3(
  objects: Map<string, string>,
  bucket: string,
  method: string,
  { pathname, searchParams }: URL,
): [number, string] {
  const [, named = '', ...rest] = decodeURIComponent(pathname).split('/');
  const key = rest.join('/');
  if (named !== bucket) {
    return [404, '<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>'];
  }
  if (key === '') {
    return [
      200,
      listPage([...objects.keys()], Number(searchParams.get('continuation-token') ?? 0)),
    ];
  }
  if (method === 'DELETE') {
    objects.delete(key);
    return [204, ''];
  }
  const content = objects.get(key);
  return content === undefined
    ? [404, '<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>']
    : [200, content];
}

function listPage(keys: readonly string[], start: number): string {
  const page = keys.toSorted().slice(start, start + PAGE);
  const isTruncated = start + PAGE < keys.length;
  const next = isTruncated ? `<NextContinuationToken>${start + PAGE}</NextContinuationToken>` : '';
  const contents = page.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('');
  return `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>${isTruncated}</IsTruncated>${next}${contents}</ListBucketResult>`;
}
