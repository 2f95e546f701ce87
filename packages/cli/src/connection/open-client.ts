// A client for one command: with the command's address and token, and told apart what ends it.
import { connect, type ConnectOptions, type Sluice } from "@sluice/client";
import type { TokenSource } from "../arguments/token-source.js";
import { nodeFetch } from "./node-fetch.js";
import { NodeSocket } from "./node-socket.js";

/** What a command adds to the client's own options. */
export interface OpenClientOptions extends Omit<ConnectOptions, "url" | "token" | "WebSocket" | "fetch"> {
  /** The service's base address. */
  readonly address: URL;
  readonly token: TokenSource;
  /** The token was refused, and the source has no other; the client is closed when this returns. */
  readonly onRefused: () => void;
  /** The source can't be read at the moment; the client goes on trying, or is closed by the command. */
  readonly onUnreadable: (error: unknown) => void;
}

/** Opens a client; the caller closes it. @throws {CliError} when the token can't be read. */
export async function openClient(options: OpenClientOptions): Promise<Sluice> {
  const { address, token, onRefused, onUnreadable, ...rest } = options;
  const first = await token.read();

  async function renewed(refused?: string): Promise<string> {
    let text: string | undefined;
    try {
      text = await token.read();
    } catch (error) {
      onUnreadable(error);
      throw error;
    }
    if (text !== undefined && text !== refused) return text;
    onRefused();
    sluice.close();
    throw new Error("the token was refused");
  }

  const given = token.renews ? renewed : first;
  const sluice = connect({
    ...rest,
    url: address,
    WebSocket: NodeSocket,
    fetch: nodeFetch,
    ...(given === undefined ? {} : { token: given }),
  });
  return sluice;
}
