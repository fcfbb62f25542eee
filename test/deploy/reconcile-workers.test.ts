/** Several workers of reconcile, packaged: together they have every shard, and none twice. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shardsOf } from '../../lib/reconcile/shards.ts';
import { ALL_SHARDS } from '../../lib/table/due-work.ts';
import { packageService } from './cloudformation.ts';

interface Target {
  readonly Id: string;
  readonly Arn: unknown;
  readonly Input?: string;
}

test.each([2, 4])(
  '%i workers are called by one rule, each with shards of its own',
  async (workers) => {
    const directory = await mkdtemp(join(tmpdir(), 'workers-'));
    try {
      const template = await packageService(directory, 'production', {
        reconcileWorkers: workers,
        reconcileMemory: 1769,
      });
      const rule = template.Resources['ReconcileEventsRuleSchedule1'];
      const Targets = (rule?.Properties['Targets'] ?? []) as unknown as Target[];
      const shards = Targets.map(({ Input }) => shardsOf(JSON.parse(String(Input))));

      expect(new Set(Targets.map(({ Id }) => Id)).size).toBe(workers);
      expect(Targets.map(({ Arn }) => Arn)).toEqual(
        Targets.map(() => ({ 'Fn::GetAtt': ['ReconcileLambdaFunction', 'Arn'] })),
      );
      expect(shards.map(({ length }) => length)).toEqual(
        Targets.map(() => ALL_SHARDS.length / workers),
      );
      expect(shards.flat().toSorted((a, b) => a - b)).toEqual(ALL_SHARDS);
      expect(template.Resources['ReconcileLambdaFunction']?.Properties['MemorySize']).toBe(1769);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
  180_000,
);
