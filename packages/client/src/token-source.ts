// The token and where the next one comes from. It is held here and nowhere else.
import type { Environment } from "./environment.js";

/**
 * A fixed token, or a function that gets one; called for every connection, after a refusal and before expiry. `refused`:
 * the token that the server did not want, so that a function which keeps tokens knows not to give that one again.
 */
export type TokenOption = string | ((refused?: string) => string | Promise<string>);

/** Longest wait for a token function, ms; what it gives later is not used. */
const tokenMaxMs = 30_000;

export class TokenSource {
  readonly #option: TokenOption | undefined;
  readonly #environment: Environment;
  #token: string | undefined;
  #refused: string | undefined;
  #asking: Promise<string | undefined> | undefined;

  constructor(option: TokenOption | undefined, environment: Environment) {
    this.#option = option;
    this.#environment = environment;
  }

  /** Whether another token can come after this one. */
  get renews(): boolean {
    return typeof this.#option === "function";
  }

  /** The token in use; asked for when there is none. */
  async current(): Promise<string | undefined> {
    return this.#token ?? (await this.renewed());
  }

  /** A token asked for now. Two callers at the same time share one question. @throws what the function throws. */
  async renewed(): Promise<string | undefined> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    this.#token = await this.#asking;
    return this.#token;
  }

  async #ask(): Promise<string | undefined> {
    const option = this.#option;
    if (typeof option !== "function") return option;
    return new Promise((resolve, reject) => {
      const cancel = this.#environment.after(tokenMaxMs, () => reject(new Error("no token in time")));
      Promise.resolve(this.#refused).then(option).then(resolve, reject).finally(cancel);
    });
  }

  /** The server does not want `token`; it is not used again unless it is all there is. */
  forget(token: string | undefined): void {
    this.#refused = token;
    if (this.#token === token) this.#token = undefined;
  }
}
