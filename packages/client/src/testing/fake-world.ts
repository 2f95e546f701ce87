// A client whose network, history and time are the test's.
import { Sluice, type ConnectOptions } from "../sluice.js";
import type { Subscription } from "../subscription.js";
import type { Gap, SluiceEvent } from "../event.js";
import { FakeLog } from "./fake-log.js";
import { type FakeSocket, fakeSockets } from "./fake-socket.js";
import { ManualEnvironment, settled } from "./manual-environment.js";

export interface FakeWorld {
  readonly sluice: Sluice;
  readonly environment: ManualEnvironment;
  readonly log: FakeLog;
  readonly sockets: readonly FakeSocket[];
  /** The newest socket. */
  readonly socket: FakeSocket;
}

export function fakeWorld(options: Partial<ConnectOptions> = {}): FakeWorld {
  const environment = new ManualEnvironment();
  const log = new FakeLog();
  const { WebSocket, sockets } = fakeSockets();
  const sluice = new Sluice({ url: "http://sluice.test", WebSocket, fetch: log.fetch, ...options }, environment);
  return {
    sluice,
    environment,
    log,
    sockets,
    get socket() {
      const socket = sockets.at(-1);
      if (socket === undefined) throw new Error("no socket was opened");
      return socket;
    },
  };
}

/** What a subscription has handed out so far: seqs of events, gaps in brackets. */
export function collect(subscription: Subscription<SluiceEvent | Gap>): {
  readonly seen: (number | string)[];
  readonly end: Promise<unknown>;
} {
  const seen: (number | string)[] = [];
  const run = async (): Promise<void> => {
    for await (const item of subscription) {
      seen.push(item.type === "gap" ? `[${item.reason} ${item.from_seq}-${item.to_seq}]` : item.seq);
    }
  };
  return { seen, end: run().catch((error: unknown) => error) };
}

/** A connection that is greeted and whose subscriptions are confirmed at `seq`. */
export async function goLive({ socket }: FakeWorld, seq: number): Promise<void> {
  socket.greet();
  await settled();
  socket.confirm(seq);
  await settled();
}
