/** The bar above a page: its title, and back. */
import { phoneText } from './phone-texts.ts';

let goBack: (() => unknown) | undefined;

document.querySelector('#back')?.addEventListener('click', () => goBack?.());

export function showNavigation(title: string, back: (() => unknown) | undefined): void {
  setTitle(title);
  const button = document.querySelector<HTMLButtonElement>('#back');
  if (button) {
    button.hidden = back === undefined;
    button.setAttribute('aria-label', phoneText('back'));
    goBack = back;
  }
}

export function setTitle(title: string): void {
  const heading = document.querySelector('#title');
  if (heading) {
    heading.textContent = title;
  }
}
