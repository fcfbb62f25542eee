/** Pauses of one loop, which others may end early. */
export class Pauser {
  #timer: NodeJS.Timeout | undefined;
  #resolve: (() => void) | undefined;
  #canBeWoken = false;
  #isWoken = false;
  #isEnded = false;

  /** A pause that only `end()` cuts short. */
  pause(milliseconds: number): Promise<void> {
    return this.#wait(milliseconds, false);
  }

  /** A pause that `wake()` cuts short too, though not before `shortest`, and also when it came earlier. */
  async rest(shortest: number, longest: number): Promise<void> {
    await this.#wait(Math.min(shortest, longest), false);
    await this.#wait(longest - shortest, true);
    this.#isWoken = false;
  }

  wake(): void {
    this.#isWoken = true;
    if (this.#canBeWoken) {
      this.#finish();
    }
  }

  /** No pause from now on. */
  end(): void {
    this.#isEnded = true;
    this.#finish();
  }

  #wait(milliseconds: number, canBeWoken: boolean): Promise<void> {
    if (milliseconds <= 0 || this.#isEnded || (canBeWoken && this.#isWoken)) {
      return Promise.resolve();
    }
    this.#canBeWoken = canBeWoken;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#timer = setTimeout(() => this.#finish(), milliseconds);
    });
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#canBeWoken = false;
    this.#resolve?.();
    this.#resolve = undefined;
  }
}
