/**
 * Sends what connections have to say when all that came in this turn of the event loop is dealt with: what goes to one client goes as one, and the
 * kernel wakes whoever is on the other side less often.
 */
export interface Sender {
  /** Called once for each time it was added. */
  send(): void;
}

export class Outbox {
  #senders: Sender[] = [];

  /** It has something to say. */
  add(sender: Sender): void {
    if (this.#senders.push(sender) === 1) setImmediate(this.#empty);
  }

  readonly #empty = (): void => {
    const senders = this.#senders;
    this.#senders = [];
    for (const sender of senders) sender.send();
  };
}
