/** A client of AWS that is listened to. */
interface Command {
  readonly input: object;
  readonly constructor: { readonly name: string };
}

/** What is heard of each call, before it is made: `GetItem` and its input. */
export type Hear = (operation: string, input: object) => void;

export function heardClient<Client extends { send: (...command: never[]) => unknown }>(
  client: Client,
  hear: Hear,
): Client {
  const send = (command: Command) => {
    hear(command.constructor.name.replace(/Command$/, ''), command.input);
    return client.send(command as never);
  };
  return { send } as unknown as Client;
}
