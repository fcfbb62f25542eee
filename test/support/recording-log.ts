/** A log that keeps its lines and counts for a test to read. */
import type { Log, LogFields, MetricName } from '../../lib/runtime/log.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

export interface RecordingLog extends Log {
  readonly lines: LogLine[];
  readonly counts: Partial<Record<MetricName, number>>;
  /** Messages of a level, in order. */
  messages(level: LogLine['level']): string[];
}

export function recordingLog(): RecordingLog {
  const lines: LogLine[] = [];
  const counts: Partial<Record<MetricName, number>> = {};
  const write =
    (level: LogLine['level']) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  return {
    lines,
    counts,
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    count: (metric, count = 1) => {
      counts[metric] = (counts[metric] ?? 0) + count;
    },
    messages: (level) => lines.filter((line) => line.level === level).map(({ message }) => message),
  };
}
