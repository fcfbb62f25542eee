/** `serverless package` as a deployment runs it, and enough of CloudFormation to read its result. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectDirectory } from '../repo/project.ts';
import { copyService } from './service-directory.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Resource {
  Type: string;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  Condition?: string;
  DependsOn?: string | string[];
  Properties: { [key: string]: Json };
}

export interface Template {
  /** Decided when the template is packaged; only those that a deployment decides are left. */
  Conditions?: Record<string, Json>;
  Resources: Record<string, Resource>;
  Outputs: Record<string, { Value: Json; Condition?: string }>;
}

/** What the pseudo parameters are worth somewhere. */
export interface Place {
  'AWS::Partition': string;
  'AWS::URLSuffix': string;
  'AWS::Region': string;
  'AWS::AccountId': string;
}

export const SINGAPORE: Place = {
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::Region': 'ap-southeast-1',
  'AWS::AccountId': '123456789012',
};

export const BEIJING: Place = {
  'AWS::Partition': 'aws-cn',
  'AWS::URLSuffix': 'amazonaws.com.cn',
  'AWS::Region': 'cn-north-1',
  'AWS::AccountId': '123456789012',
};

/**
 * Runs `serverless package` with no credentials, region or home in its environment; the settings of
 * stages are looked for in `directory`, where nobody has put any but the caller. `isBuilt` as for
 * `copyService`.
 */
export async function packageService(
  directory: string,
  stage: string,
  parameters: Record<string, string | number> = {},
  options: { readonly isBuilt?: boolean } = {},
): Promise<Template> {
  const serverless = join(projectDirectory, 'node_modules/serverless/bin/serverless.js');
  // Not in there: what a run is told to write into, it empties first.
  const run = await mkdtemp(join(tmpdir(), 'service-'));
  try {
    await promisify(execFile)(
      process.execPath,
      [serverless, 'package', '--stage', stage, '--package', directory].concat(
        Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`),
      ),
      {
        cwd: copyService(run, options),
        env: {
          PATH: process.env['PATH'],
          HOME: run,
          SETTINGS_DIRECTORY: directory,
          npm_config_update_notifier: 'false',
        },
      },
    );
  } finally {
    await rm(run, { recursive: true, force: true });
  }
  const path = join(directory, 'cloudformation-template-update-stack.json');
  return JSON.parse(await readFile(path, 'utf8'));
}

/**
 * A value with its functions worked out. `Ref` and `Fn::GetAtt` of a resource, which only a
 * deployment knows, become `<LogicalId>` and `<LogicalId>.<Attribute>`.
 */
export function evaluate(template: Template, place: Place, value: Json): Json {
  const inner = (part: Json | undefined) => evaluate(template, place, part ?? null);
  const text = (part: Json | undefined) => asText(inner(part));
  const list = (part: Json | undefined) => asList(inner(part));
  const reference = (name: string): string => {
    if (name in place) {
      return place[name as keyof Place];
    }
    const [logicalId = ''] = name.split('.');
    if (logicalId in template.Resources) {
      return name;
    }
    throw new Error(`the template has no ${name}`);
  };
  if (Array.isArray(value)) {
    return value.map(inner);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const [[name, argument] = ['', null], ...others] = Object.entries(value);
  if (others.length > 0 || !/^(Ref$|Fn::)/.test(name)) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inner(part)]));
  }
  if (name === 'Ref') {
    return argument === 'AWS::NoValue' ? null : reference(asText(argument));
  }
  if (name === 'Fn::Sub') {
    return asText(argument).replaceAll(/\$\{([^}]+)\}/g, (_, referenced) => reference(referenced));
  }
  const [first, second, third] = asList(argument);
  switch (name) {
    case 'Fn::GetAtt':
      return reference(`${text(first)}.${text(second)}`);
    case 'Fn::Join':
      return list(second).map(asText).join(text(first));
    case 'Fn::Split':
      return text(second).split(text(first));
    case 'Fn::Select':
      return list(second)[Number(first)] ?? null;
    case 'Fn::If':
      return inner(inner(template.Conditions?.[text(first)]) === true ? second : third);
    case 'Fn::Equals':
      return inner(first) === inner(second);
    case 'Fn::Not':
      return !(inner(first) === true);
    default:
      throw new Error(`cannot work out ${name}`);
  }
}

function asText(value: Json): string {
  if (typeof value !== 'string') {
    throw new Error(`not a string: ${JSON.stringify(value)}`);
  }
  return value;
}

function asList(value: Json): Json[] {
  if (!Array.isArray(value)) {
    throw new Error(`not a list: ${JSON.stringify(value)}`);
  }
  return value;
}
