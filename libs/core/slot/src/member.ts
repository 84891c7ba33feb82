import type { Answer, Command, SlotPort } from "./messages.ts";
import type { SlotWorker } from "./slot-worker.ts";

/** How the control side reaches one worker. */
export interface Member {
  send(command: Command): void;
  close(): void;
}

type OnAnswer = (member: Member, answer: Answer) => void;

/** A worker in the control side's own thread: it has done what is sent when `send` returns. */
export class LocalMember implements Member {
  readonly #worker: SlotWorker;
  readonly #onAnswer: OnAnswer;

  constructor(worker: SlotWorker, onAnswer: OnAnswer) {
    this.#worker = worker;
    this.#onAnswer = onAnswer;
  }

  send(command: Command): void {
    this.#worker.execute(command, (answer) => this.#onAnswer(this, answer));
  }

  close(): void {}
}

/** A worker in another thread. What is sent in one turn is one message, so that the worker wakes up once. */
export class RemoteMember implements Member {
  readonly #port: SlotPort;
  readonly #onAnswer: OnAnswer;
  readonly #onMessage: (message: unknown) => void;
  #outgoing: Command[] = [];

  constructor(port: SlotPort, onAnswer: OnAnswer) {
    this.#port = port;
    this.#onAnswer = onAnswer;
    this.#onMessage = (message) => {
      for (const answer of message as readonly Answer[]) onAnswer(this, answer);
    };
    port.on("message", this.#onMessage);
  }

  send(command: Command): void {
    if (this.#outgoing.push(command) > 1) return;
    queueMicrotask(() => {
      const commands = this.#outgoing;
      this.#outgoing = [];
      try {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        this.#port.postMessage(commands);
      } catch {
        // One of them cannot be cloned: it fails alone.
        for (const one of commands) this.#sendAlone(one);
      }
    });
  }

  #sendAlone(command: Command): void {
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#port.postMessage([command]);
    } catch (error) {
      this.#onAnswer(this, { sequence: command.sequence, failure: (error as Error).message });
    }
  }

  close(): void {
    this.#port.off("message", this.#onMessage);
  }
}
