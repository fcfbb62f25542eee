/** Views that are drawn anew while somebody is in the middle of them, with a keyboard perhaps. */
import { element } from './dom.ts';

/**
 * What was open stays open. The focus stays on the same action; when that is gone it goes to the one
 * above it (`alter/T1` of `alter/T1/less`), then to `other`.
 */
export function keepingPlace(view: HTMLElement, other: HTMLElement, draw: () => void): void {
  const active = document.activeElement;
  const action =
    active instanceof HTMLElement && view.contains(active) ? active.dataset['action'] : undefined;
  const isOpen = new Set(
    [...view.querySelectorAll('details')].filter(({ open }) => open).map(({ id }) => id),
  );
  draw();
  for (const details of view.querySelectorAll('details')) {
    details.open = isOpen.has(details.id);
  }
  if (action !== undefined) {
    const actions = [...view.querySelectorAll<HTMLElement>('[data-action]')];
    const named = (name: string) => actions.find((one) => one.dataset['action'] === name);
    (named(action) ?? named(action.replace(/\/[^/]*$/, '')) ?? other).focus();
  }
}

/** A button whose name stays the same over all drawings, so that the focus finds it again. */
export function actionButton(
  action: string,
  label: string,
  run: () => void,
  attributes: Readonly<Record<string, string | boolean>> = {},
): HTMLButtonElement {
  const button = element(
    'button.chip',
    { type: 'button', 'data-action': action, ...attributes },
    label,
  );
  button.addEventListener('click', run);
  return button;
}
