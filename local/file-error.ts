/** A file or directory that the stack cannot use: which, why, and what to do. */

const ELSEWHERE = 'or name another directory with LOCAL_DATA_DIR';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: `this user has no right to it; give it back to this user (chown, chmod), ${ELSEWHERE}`,
  EPERM: `this user has no right to it; give it back to this user (chown, chmod), ${ELSEWHERE}`,
  EROFS: `it is on a read-only file system; mount it for writing, ${ELSEWHERE}`,
  ENOSPC: `the disk is full; make room, ${ELSEWHERE}`,
  EDQUOT: `the disk quota is used up; make room, ${ELSEWHERE}`,
  EISDIR: 'it is a directory where a file belongs; move it away',
  EEXIST: `it is a file where a directory belongs; move it away, ${ELSEWHERE}`,
  ENOTDIR: `a part of its path is a file, not a directory; move that away, ${ELSEWHERE}`,
  ENOENT: `it leads to a place that does not exist; create that, ${ELSEWHERE}`,
  ELOOP: `its symbolic links lead in a circle; remove them, ${ELSEWHERE}`,
  ENAMETOOLONG: `its path is too long; ${ELSEWHERE.slice(3)}`,
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine; end some programs',
  EBUSY: 'another program holds it; end that program',
};

/** The same failure, in words that name the path and the way out. */
export function fileError(path: string, error: Partial<NodeJS.ErrnoException>): Error {
  const reason = REASONS[error.code ?? ''] ?? `${error.message}; move it away, ${ELSEWHERE}`;
  const cause = error instanceof Error ? { cause: error } : {};
  return new Error(`${path} cannot be used: ${reason}`, cause);
}

/** What the file system refused, in words; any other error as it is. */
export function inWords(path: string, error: unknown): unknown {
  const refused = error as NodeJS.ErrnoException;
  return refused.syscall === undefined ? error : fileError(path, refused);
}

/** Runs `work` on a file; what the file system refuses is said in words. */
export function onFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inWords(path, error);
  }
}
