// The token and where the next one comes from. It is held here and nowhere else.
import type { Environment } from "./environment.js";

/**
 * A fixed token, or a function that gets one; called for every connection, after a refusal and before expiry. `refused`:
 * the token that the server did not want, so that a function which keeps tokens knows not to give that one again.
 */
export type TokenOption = string | ((refused?: string) => string | Promise<string>);

/** Longest wait for a token function, ms; what it gives later is not used. */
const tokenMaxMs = 30_000;

export interface TokenSource {
  /** Whether another token can come after this one. */
  readonly renews: boolean;
  /** The token in use; asked for when there is none. */
  current(): Promise<string | undefined>;
  /** A token asked for now. Two callers at the same time share one question. @throws what the function throws. */
  renewed(): Promise<string | undefined>;
  /** The server does not want `token`; it is not used again unless it is all there is. */
  forget(token: string | undefined): void;
}

export function createTokenSource(option: TokenOption | undefined, { after }: Environment): TokenSource {
  let present: string | undefined;
  let refused: string | undefined;
  let asking: Promise<string | undefined> | undefined;

  const ask = async (): Promise<string | undefined> => {
    if (typeof option !== "function") return option;
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error("token() gave no token"));
      const cancel = after(tokenMaxMs, fail);
      Promise.resolve(refused)
        .then(option)
        .then((token) => (token ? resolve(token) : fail()), reject)
        .finally(cancel);
    });
  };
  const renewed = async (): Promise<string | undefined> => {
    asking ??= ask().finally(() => (asking = undefined));
    present = await asking;
    return present;
  };
  return {
    renews: typeof option === "function",
    current: async () => present ?? renewed(),
    renewed,
    forget(token) {
      refused = token;
      if (present === token) present = undefined;
    },
  };
}
