/** Events of an order in the inspector: the list, and one that is on its way. */
import { element } from './dom.ts';
import type { EventDelivery } from './event-deliveries.ts';
import { formatBody } from './format-body.ts';
import type { PublishedEvent } from './published-events.ts';
import { clockTime, text } from './texts.ts';

export function showEvents(events: readonly PublishedEvent[], awaited: number): HTMLElement {
  return element(
    'section.events',
    {},
    element('h3', {}, text('events')),
    awaited > 0 &&
      element('p.callout', { 'data-outcome': 'pending' }, text('eventsAwaited', { n: awaited })),
    events.length === 0
      ? awaited === 0 && element('p.note', {}, text('noEvents'))
      : element('ol.history', {}, ...events.map(showEvent)),
  );
}

const showEvent = ({ event, eventId, sequence, times }: PublishedEvent) =>
  element(
    'li',
    { 'data-outcome': 'ok', 'data-event': eventId },
    element('time', {}, clockTime(event.time)),
    element(
      'div',
      {},
      element('p', {}, event.detailType, ` · ${text('eventSequence', { n: sequence })}`),
      element('p.by', {}, eventId),
      times > 1 && element('p.by', {}, text('eventTimes', { n: times })),
      element(
        'details',
        {},
        element('summary', {}, text('eventDetail')),
        element('pre', { tabindex: 0 }, JSON.stringify(event.detail, undefined, 2)),
      ),
    ),
  );

/** What became of it, and all that it says. */
export function showDelivery(delivery: EventDelivery): HTMLElement {
  const { eventId, sequence, outcome, detail, reason } = delivery;
  return element(
    'section',
    {},
    element(
      'dl.fields',
      {},
      element('dt', {}, 'eventId'),
      element('dd', {}, eventId),
      element('dt', {}, 'sequence'),
      element('dd', {}, String(sequence)),
    ),
    element(
      'p.callout',
      { 'data-outcome': outcome },
      text(explanationOf(delivery)),
      delivery.count > 1 && ` ${text('eventInARow', { n: delivery.count })}`,
    ),
    reason !== undefined && element('p.note', {}, reason),
    element('h4', {}, text('eventDetail')),
    element('pre', { tabindex: 0 }, formatBody(detail)),
  );
}

function explanationOf({ result }: EventDelivery) {
  switch (result) {
    case 'taken':
      return 'eventTaken';
    case 'taken again':
      return 'eventTakenAgain';
    case 'away':
      return 'eventAway';
    case 'no answer':
      return 'eventNoAnswer';
    case '':
      return 'eventPending';
    default:
      return 'eventRefused';
  }
}
