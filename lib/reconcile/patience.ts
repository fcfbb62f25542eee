/** How long a run waits for WeChat: long at first, shorter once WeChat leaves most calls unanswered. */

/** One call to WeChat, with all its time: fail-over and a key that is read anew are within it. */
export const MAX_CALL_MS = 4_000;
/** Less than this gives WeChat no fair chance to answer. */
export const MIN_CALL_MS = 1_000;

/** What is left of it once WeChat leaves most calls unanswered. */
const IMPATIENT_CALL_MS = 1_500;

/** The last outcomes that count, and how many of them make a run impatient. */
const WINDOW = 64;
const IMPATIENT_AT = 48;
/** One call in so many keeps its whole time: an answer that comes late then shows a slow WeChat. */
const PROBE_EVERY = 16;
/** So many unanswered calls, and not one answer in the whole run, are no matter of single orders. */
const SILENT_AT = 64;

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
  /** Whether WeChat answered nothing at all in this run. */
  isSilent(): boolean;
  /**
   * Whether its hosts could not even be connected to, time and again: asking further orders would only
   * use up their turn. Mere silence does not end a run: the next order may be answered.
   */
  isOver(): boolean;
}

/** A full measure for one run. */
export function startPatience(): Patience {
  const outcomes: boolean[] = [];
  let calls = 0;
  let unansweredCalls = 0;
  let notSentInARow = 0;
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
      return isShort() && calls % PROBE_EVERY !== 0 ? IMPATIENT_CALL_MS : MAX_CALL_MS;
    },
    answered(afterMs) {
      // It would have been cut off by impatience: WeChat is slow, and not silent.
      isSlow ||= isShort() && afterMs > IMPATIENT_CALL_MS;
      hasAnswered = true;
      notSentInARow = 0;
      note(true);
    },
    unanswered(outcome) {
      unansweredCalls += 1;
      notSentInARow = outcome === 'not-sent' ? notSentInARow + 1 : 0;
      note(false);
    },
    isShort,
    isSilent: () => !hasAnswered && unansweredCalls >= SILENT_AT,
    isOver: () => !hasAnswered && notSentInARow >= SILENT_AT,
  };
}
