/** What can be told of a process by its id, on every platform. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The second for a `PATH` that lacks it. */
const PS_PROGRAMS = ['ps', '/bin/ps'];

/** Whether a process has this id now, whoever it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's, but alive.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A running process's parent and command line, or undefined where nobody can say (Windows). */
export function describeProcess(pid: number): { parentPid: number; command: string } | undefined {
  if (process.platform === 'win32') {
    return undefined;
  }
  return process.platform === 'linux' ? readProc(pid) : askPs(pid);
}

function readProc(pid: number) {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    // The parent is the second field after the command's name, which may hold parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parentPid: Number(parentPid), command };
  } catch {
    return undefined;
  }
}

function askPs(pid: number) {
  // Without the user's language and time zone, in which its output would differ.
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  for (const program of PS_PROGRAMS) {
    const args = ['-ww', '-p', String(pid), '-o', 'ppid=,command='];
    const { error, stdout } = spawnSync(program, args, { encoding: 'utf8', env });
    if (error === undefined) {
      const [, parentPid, command] = /^\s*(\d+)\s+(.*\S)\s*$/s.exec(stdout) ?? [];
      return command === undefined ? undefined : { parentPid: Number(parentPid), command };
    }
  }
  return undefined;
}
