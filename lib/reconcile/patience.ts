/** How long a run waits for WeChat: long at first, shorter once WeChat leaves most calls unanswered. */

/** One call to WeChat, with all its time: fail-over and a key that is read anew are within it. */
export const MAX_CALL_MS = 4_000;
/** Less than this gives WeChat no fair chance to answer. */
export const MIN_CALL_MS = 1_000;

/** The last outcomes that count, and how many of them make a run impatient. */
const WINDOW = 64;
const IMPATIENT_AT = 48;
/** One call in so many keeps its whole time: an answer that comes late then shows a slow WeChat. */
const PROBE_EVERY = 16;
/** So many in a row, and not one answer in the whole run: nobody is there. */
const SILENT_AT = 1_024;
/** A host that cannot be connected to is not there for any order. */
const NOT_SENT_WEIGHT = 16;

/** What a run has learned of WeChat; counts its calls. */
export interface Patience {
  /** The longest that the next call may take, in milliseconds. */
  nextCallMs(): number;
  /** A call was answered, with whatever. @param afterMs since it was made. */
  answered(afterMs: number): void;
  /** A call was not answered in its time, or could not be made (`not-sent`). */
  unanswered(outcome: 'not-sent' | 'unknown'): void;
  /** Whether most of the last calls were left unanswered: what hangs must not keep the rest waiting. */
  isShort(): boolean;
  /** Whether WeChat answers nothing at all: asking further orders would only use up their turn. */
  isOver(): boolean;
}

/** A full measure for one run. */
export function startPatience(): Patience {
  const outcomes: boolean[] = [];
  let calls = 0;
  let inARow = 0;
  let hasAnswered = false;
  let isSlow = false;
  const note = (isAnswered: boolean) => {
    outcomes.push(isAnswered);
    if (outcomes.length > WINDOW) {
      outcomes.shift();
    }
  };
  const isShort = () =>
    !isSlow && outcomes.filter((isAnswered) => !isAnswered).length >= IMPATIENT_AT;
  return {
    nextCallMs() {
      calls += 1;
      return isShort() && calls % PROBE_EVERY !== 0 ? MIN_CALL_MS : MAX_CALL_MS;
    },
    answered(afterMs) {
      // It would have been cut off by impatience: WeChat is slow, and not silent.
      isSlow ||= isShort() && afterMs > MIN_CALL_MS;
      hasAnswered = true;
      inARow = 0;
      note(true);
    },
    unanswered(outcome) {
      inARow += outcome === 'not-sent' ? NOT_SENT_WEIGHT : 1;
      note(false);
    },
    isShort,
    isOver: () => !hasAnswered && inARow >= SILENT_AT,
  };
}
