/** Which processes run, told the same way on Linux and macOS. */
import { execFileSync } from 'node:child_process';

export interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
}

/** Every process of this machine but `ps` itself. */
export function listProcesses(): RunningProcess[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,ppid=,command='], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    maxBuffer: 64 * 1024 * 1024,
  }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parentPid, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined || (parentPid === String(process.pid) && command.startsWith('ps '))
      ? []
      : [{ pid: Number(pid), parentPid: Number(parentPid), command }];
  });
}

/** What a process started, and what that started, while all of them run. */
export function listDescendants(pid: number, among = listProcesses()): RunningProcess[] {
  return among
    .filter(({ parentPid }) => parentPid === pid)
    .flatMap((child) => [child, ...listDescendants(child.pid, among)]);
}
