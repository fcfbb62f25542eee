/**
 * How functions hang on the table's stream: the template's `stream` events, and its resources of the
 * type `AWS::Lambda::EventSourceMapping`.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-eventsourcemapping.html
 */
import { compileFilters, type Filter } from './filter.ts';

/** Lambda's own defaults for a DynamoDB stream. */
const DEFAULT_BATCH_SIZE = 100;
const TYPE = 'AWS::Lambda::EventSourceMapping';

export interface EventSourceMapping {
  readonly functionName: string;
  /** Records of an invocation, at most. */
  readonly batchSize: number;
  /** How long records are gathered for a batch. */
  readonly windowMs: number;
  /** Infinity: until they succeed or are too old. */
  readonly retryAttempts: number;
  /** Older records are not given to the function any more; Infinity: there are none. */
  readonly maxAgeMs: number;
  /** A batch that fails is halved. */
  readonly bisects: boolean;
  /** The function says which record failed (`ReportBatchItemFailures`). */
  readonly reportsFailures: boolean;
  /** Whether the function is to see a record. */
  readonly filter: Filter;
}

type Node = Readonly<Record<string, unknown>>;

/** Properties without an effect here. */
const IGNORED = ['DestinationConfig', 'EventSourceArn', 'FunctionName', 'MetricsConfig', 'Tags'];
const KNOWN = new Set([
  ...IGNORED,
  'BatchSize',
  'BisectBatchOnFunctionError',
  'Enabled',
  'FilterCriteria',
  'FunctionResponseTypes',
  'MaximumBatchingWindowInSeconds',
  'MaximumRecordAgeInSeconds',
  'MaximumRetryAttempts',
  'ParallelizationFactor',
  'StartingPosition',
  'TumblingWindowInSeconds',
]);
/** Where only one value is known here, and it is not the default. */
const FIXED: Readonly<Record<string, unknown>> = {
  ParallelizationFactor: 1,
  StartingPosition: 'TRIM_HORIZON',
  TumblingWindowInSeconds: 0,
};
/** The framework's word for each property. */
const OF_STREAM_EVENT: Readonly<Record<string, string>> = {
  arn: 'EventSourceArn',
  batchSize: 'BatchSize',
  batchWindow: 'MaximumBatchingWindowInSeconds',
  bisectBatchOnFunctionError: 'BisectBatchOnFunctionError',
  destinations: 'DestinationConfig',
  enabled: 'Enabled',
  maximumRecordAgeInSeconds: 'MaximumRecordAgeInSeconds',
  maximumRetryAttempts: 'MaximumRetryAttempts',
  parallelizationFactor: 'ParallelizationFactor',
  startingPosition: 'StartingPosition',
  tumblingWindowInSeconds: 'TumblingWindowInSeconds',
};

/**
 * The mapping of one `stream` event of a function; none for one that is switched off.
 *
 * @throws {Error} naming what is not known here.
 */
export function readStreamEvent(functionName: string, event: unknown): EventSourceMapping[] {
  if (event === undefined) {
    return [];
  }
  const { type, filterPatterns, functionResponseType, ...rest } = asNode(event);
  if (type !== 'dynamodb') {
    throw new Error(`serverless.yml: ${functionName} has a stream that is not of type dynamodb`);
  }
  const properties = Object.entries(rest).map(([name, value]) => [
    OF_STREAM_EVENT[name] ?? name,
    value,
  ]);
  return readProperties(functionName, {
    // The framework's default.
    StartingPosition: 'TRIM_HORIZON',
    ...(Object.fromEntries(properties) as Node),
    ...(functionResponseType !== undefined && { FunctionResponseTypes: [functionResponseType] }),
    ...(Array.isArray(filterPatterns) && {
      FilterCriteria: { Filters: filterPatterns.map((pattern: unknown) => ({ Pattern: pattern })) },
    }),
  });
}

/**
 * The mappings among the template's resources.
 *
 * @throws {Error} naming what is not known here, or a function that there is not.
 */
export function readMappingResources(
  resources: readonly unknown[],
  functionNames: readonly string[],
): EventSourceMapping[] {
  return resources
    .flatMap((part) => Object.entries(asNode(asNode(part).Resources)))
    .filter(([, resource]) => asNode(resource).Type === TYPE)
    .flatMap(([logicalId, resource]) => {
      const properties = asNode(asNode(resource).Properties);
      const named = JSON.stringify(properties.FunctionName ?? '');
      const functionName = functionNames.find((name) => named.includes(`"${logicalIdOf(name)}`));
      if (functionName === undefined) {
        throw new Error(`serverless.yml: ${logicalId} names no function of the template`);
      }
      return readProperties(functionName, properties);
    });
}

/** As the framework names a function's resource. */
const logicalIdOf = (functionName: string) =>
  `${functionName.charAt(0).toUpperCase()}${functionName.slice(1).replaceAll('-', 'Dash').replaceAll('_', 'Underscore')}LambdaFunction`;

function readProperties(functionName: string, properties: Node): EventSourceMapping[] {
  for (const [name, value] of Object.entries(properties)) {
    const isFixed = Object.hasOwn(FIXED, name) && value !== FIXED[name];
    if (!KNOWN.has(name) || isFixed) {
      const what = isFixed ? `${name}: ${JSON.stringify(value)}` : name;
      throw new Error(`serverless.yml: the stream of ${functionName} has ${what}, not known here`);
    }
  }
  if (properties.Enabled === false) {
    return [];
  }
  return [
    {
      functionName,
      batchSize: readNumber(properties.BatchSize, DEFAULT_BATCH_SIZE),
      windowMs: readNumber(properties.MaximumBatchingWindowInSeconds, 0) * 1000,
      retryAttempts: readLimit(properties.MaximumRetryAttempts),
      maxAgeMs: readLimit(properties.MaximumRecordAgeInSeconds) * 1000,
      bisects: properties.BisectBatchOnFunctionError === true,
      reportsFailures: [properties.FunctionResponseTypes]
        .flat()
        .includes('ReportBatchItemFailures'),
      filter: readFilter(functionName, properties.FilterCriteria),
    },
  ];
}

function readFilter(functionName: string, criteria: unknown): Filter {
  const filters = asNode(criteria).Filters;
  const patterns = Array.isArray(filters) ? filters.map((one) => asNode(one).Pattern) : [];
  try {
    return compileFilters(
      patterns.map((pattern: unknown) =>
        typeof pattern === 'string' ? (JSON.parse(pattern) as unknown) : pattern,
      ),
    );
  } catch (error) {
    throw new Error(`serverless.yml: the stream of ${functionName} cannot be filtered`, {
      cause: error,
    });
  }
}

function readNumber(value: unknown, fallback: number): number {
  return typeof value === 'number' && value >= 0 ? value : fallback;
}

/** -1 and nothing are no limit. */
const readLimit = (value: unknown): number => readNumber(value, Number.POSITIVE_INFINITY);

function asNode(value: unknown): Node {
  return typeof value === 'object' && value !== null ? (value as Node) : {};
}
