/** The phone in its frame: whose it is, and what happens to it. */
import { element, find } from './dom.ts';
import type { ToPhone } from './phone/main.ts';
import { currentBuyer, isDark, keepBuyer } from './preferences.ts';
import { currentLanguage, text } from './texts.ts';

const BUYERS = ['alice', 'bob', 'carol'];

export class PhonePanel {
  readonly #frame = find('#phone', HTMLIFrameElement);
  readonly #buyers = find('#buyers', HTMLElement);
  readonly #form = find('#other-buyer', HTMLFormElement);
  readonly #network = find('#network', HTMLButtonElement);
  readonly #leave = find('#leave', HTMLButtonElement);
  #offsetMs = 0;
  #isOnline = true;
  #isShown = true;

  constructor() {
    find('#restart', HTMLButtonElement).addEventListener('click', () => this.restart());
    this.#network.addEventListener('click', () => {
      this.#isOnline = !this.#isOnline;
      this.#tell({ kind: 'network', isOnline: this.#isOnline });
      this.draw();
    });
    this.#leave.addEventListener('click', () => {
      this.#isShown = !this.#isShown;
      this.#tell({ kind: 'shown', isShown: this.#isShown });
      this.draw();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = find('#buyer-name', HTMLInputElement).value.trim();
      if (name !== '') {
        this.#choose(name);
      }
    });
  }

  /** The app starts anew, as after it was removed from the phone's memory; its storage stays. */
  restart(): void {
    this.#isOnline = true;
    this.#isShown = true;
    const query = new URLSearchParams({
      buyer: currentBuyer(),
      language: currentLanguage(),
      offsetMs: String(this.#offsetMs),
      theme: isDark() ? 'dark' : 'light',
    });
    // `replace`, so that the browser's back button leaves the page and not the phone.
    this.#frame.contentWindow?.location.replace(`/page/phone/phone.html?${query.toString()}`);
    this.draw();
  }

  moveClock(offsetMs: number): void {
    if (offsetMs !== this.#offsetMs) {
      this.#offsetMs = offsetMs;
      this.#tell({ kind: 'clock', offsetMs });
    }
  }

  setTheme(): void {
    this.#tell({ kind: 'theme', isDark: isDark() });
  }

  draw(): void {
    const buyer = currentBuyer();
    const title = text('phone', { buyer });
    find('#phone-title', HTMLElement).textContent = title;
    this.#frame.title = title;
    const names = BUYERS.includes(buyer) ? BUYERS : [...BUYERS, buyer];
    this.#buyers.replaceChildren(
      ...names.map((name) => this.#drawBuyer(name, name === buyer)),
      this.#drawOther(),
    );
    this.#network.textContent = text(this.#isOnline ? 'networkOn' : 'networkOff');
    this.#network.setAttribute('aria-pressed', String(!this.#isOnline));
    this.#leave.textContent = text(this.#isShown ? 'leaveApp' : 'returnApp');
    this.#leave.setAttribute('aria-pressed', String(!this.#isShown));
    this.#frame.parentElement?.classList.toggle('asleep', !this.#isShown);
  }

  #drawBuyer(name: string, isCurrent: boolean): HTMLButtonElement {
    const button = element('button', { type: 'button', 'aria-pressed': String(isCurrent) }, name);
    button.addEventListener('click', () => this.#choose(name));
    return button;
  }

  #drawOther(): HTMLButtonElement {
    const button = element(
      'button',
      { type: 'button', 'aria-expanded': String(!this.#form.hidden) },
      text('otherBuyer'),
    );
    button.addEventListener('click', () => {
      this.#form.hidden = !this.#form.hidden;
      button.setAttribute('aria-expanded', String(!this.#form.hidden));
      find('#buyer-name', HTMLInputElement).focus();
    });
    return button;
  }

  #choose(buyer: string): void {
    keepBuyer(buyer);
    this.#form.hidden = true;
    this.restart();
  }

  #tell(message: ToPhone): void {
    this.#frame.contentWindow?.postMessage(message, location.origin);
  }
}
