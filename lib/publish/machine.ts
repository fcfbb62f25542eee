/** What publish has from outside: the table's stream brings it everything else. */
import { type BareMachine, bareMachine } from '../machine.ts';
import { openTableClient, type TableConnection } from '../table/client.ts';
import { type EventsClient, openEventsClient } from './client.ts';

export interface PublishMachine extends Pick<BareMachine, 'environment' | 'openLog'> {
  readonly openTableClient: () => TableConnection['client'];
  readonly openEventsClient: () => EventsClient;
}

/** The one that Lambda runs the function on. */
export const publishMachine: PublishMachine = { ...bareMachine, openTableClient, openEventsClient };
