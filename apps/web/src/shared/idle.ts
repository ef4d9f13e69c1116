/** A signal that aborts when nothing has happened for a while. */

import { ProblemError, SILENT } from "./problem";

export class IdleSignal {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #limitMs: number;
  #timer: number | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.signal = this.#controller.signal;
    this.touch();
  }

  /** Start counting again. An arrow, so that it can be handed over as a callback. */
  readonly touch = (): void => {
    this.stop();
    this.#timer = window.setTimeout(() => this.#controller.abort(new ProblemError(SILENT)), this.#limitMs);
  };

  stop(): void {
    window.clearTimeout(this.#timer);
  }
}
