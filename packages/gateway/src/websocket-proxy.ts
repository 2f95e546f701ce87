// The upgrade: checked, counted, authenticated, a backend dialled, and only then answered (protocol §1). Then it is a
// tunnel's matter.
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { closes, type CloseEntry } from "@sluice/protocol";
import {
  type AuthFailure,
  challengeFor,
  type Clock,
  findToken,
  type FoundToken,
  handshakeProblem,
  isAnswering,
  isOriginAllowed,
  offeredSubprotocols,
  type Problem,
  refuseUpgrade,
} from "@sluice/runtime";
import type { AddressRates } from "./admission/address-rates.js";
import { isHostAllowed } from "./admission/allowed-host.js";
import type { Caller, CallerOutcome } from "./admission/callers.js";
import { addressKey } from "./admission/client-address.js";
import { type DoorRules, isToldByFrame } from "./admission/door-rules.js";
import type { Place, Places } from "./admission/places.js";
import type { Backend } from "./backends/backend.js";
import type { BackendPool } from "./backends/backend-pool.js";
import type { GatewayTally, RefusalReason } from "./gateway-tally.js";
import { acceptClient, closeAfterHandshake } from "./handshake/answer-client.js";
import { dialBackend, type DialOutcome, extensionNames } from "./handshake/dial-backend.js";
import { type Dialled, findBackend } from "./handshake/find-backend.js";
import { forwardedHeaders, handshakeHeaders } from "./handshake/forwarded-headers.js";
import { forwardedTarget } from "./handshake/forwarded-target.js";
import { HandshakeDeadline } from "./handshake/handshake-deadline.js";
import { subprotocolsWithoutTokens } from "./handshake/offered-subprotocols.js";
import type { ReturnSchedule } from "./tunnel/return-schedule.js";
import type { Tunnels } from "./tunnel/tunnels.js";

const msPerS = 1_000;
/** Wait of a client that came in vain, ms: a service that is not back yet will not be at once. */
const vainReturnMsMin = 1_000;
/** RSV1 is permessage-deflate's (RFC 7692 §6); of an extension that we don't know any bit may be. */
const deflateBit = 0b100;
const anyBit = 0b111;

export interface WebSocketProxyOptions {
  readonly clock: Clock;
  readonly pool: BackendPool;
  readonly places: Places;
  readonly rates: AddressRates;
  readonly tunnels: Tunnels;
  readonly returns: ReturnSchedule;
  readonly tally: GatewayTally;
  readonly rules: () => DoorRules;
  readonly queryToken: boolean;
  readonly findCaller: (found: FoundToken) => Promise<CallerOutcome>;
  readonly authorizationFor: (caller: Caller) => Promise<string | undefined>;
  readonly isDraining: () => boolean;
  readonly onBackendFailure: (backend: Backend, failure: string) => void;
  readonly onError: (error: unknown) => void;
}

/** A handshake that passed every check but the token. */
interface Candidate {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly address: string;
  readonly place: Place;
  readonly startMs: number;
  readonly deadline: HandshakeDeadline;
}

export class WebSocketProxy {
  readonly #options: WebSocketProxyOptions;

  constructor(options: WebSocketProxyOptions) {
    this.#options = options;
  }

  /** Takes over the upgrades of a server. */
  attach(server: Server): void {
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Before anything else: a client that resets now must not end the process.
    socket.on("error", () => socket.destroy());
    if (isAnswering(socket)) {
      this.#options.tally.refused.add("malformed");
      socket.destroy();
      return;
    }
    this.#admit(request, socket as Socket, head).catch((error: unknown) => {
      this.#options.onError(error);
      socket.destroy();
    });
  }

  async #admit(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { clock, rules, rates, places } = this.#options;
    const startMs = clock.now();
    const problem = this.#check(request);
    if (problem !== undefined) return refuseUpgrade(socket, problem);
    const address = rules().clientAddress(request);
    const key = addressKey(address);
    if (!rates.take(key)) {
      const detail = "Too many handshakes from this address";
      return refuseUpgrade(
        socket,
        this.#count("rate", { name: "too-many-requests", detail, headers: { "retry-after": "1" } }),
      );
    }
    const place = places.take(key);
    if (typeof place === "string") return this.#sendAway({ request, socket }, "capacity", closes.tryAgainLater);
    releaseWith(socket, place);
    await this.#admitInTime({ request, socket, head, address, place, startMs });
  }

  async #admitInTime(candidate: Omit<Candidate, "deadline">): Promise<void> {
    const deadline = new HandshakeDeadline(this.#options.rules().handshakeMs);
    try {
      await this.#letIn({ ...candidate, deadline });
    } finally {
      deadline.end();
    }
  }

  #check(request: IncomingMessage): Problem | undefined {
    const { rules, isDraining } = this.#options;
    const { allowedHosts, allowedOrigins } = rules();
    if (isDraining()) {
      return this.#count("draining", {
        name: "unavailable",
        detail: "The gateway is draining",
        headers: { "retry-after": "1" },
      });
    }
    const problem = handshakeProblem(request);
    if (problem !== undefined) return this.#count("malformed", problem);
    if (!isHostAllowed(request.headers.host, allowedHosts)) {
      return this.#count("host", { name: "forbidden", detail: "This gateway does not go by that name", field: "Host" });
    }
    if (!isOriginAllowed(request.headers.origin, allowedOrigins)) {
      return this.#count("origin", { name: "forbidden", detail: "This origin may not connect", field: "Origin" });
    }
    return undefined;
  }

  #count(reason: RefusalReason, problem: Problem): Problem {
    this.#options.tally.refused.add(reason);
    return problem;
  }

  async #letIn(candidate: Candidate): Promise<void> {
    const { request, socket, place, deadline } = candidate;
    const { findCaller, queryToken } = this.#options;
    const outcome = await deadline.race(findCaller(findToken(request, { queryToken })));
    if (outcome === undefined) {
      const detail = "The token could not be checked in time";
      return refuseUpgrade(socket, this.#count("timeout", { name: "authentication-unavailable", detail }));
    }
    if (socket.destroyed) return;
    if (!outcome.ok) return this.#refuseToken(candidate, outcome);
    const caller = outcome.identity;
    if (!place.claimFor(caller.userId)) return this.#sendAway(candidate, "capacity", closes.tryAgainLater);
    await this.#connect(candidate, caller);
  }

  /** A browser can't read a refused handshake, so it gets the handshake and a close that it can (protocol §1). */
  #refuseToken({ request, socket }: Candidate, failure: AuthFailure): void {
    const isUnavailable = failure.status === 503;
    if (request.headers.origin !== undefined) {
      return this.#close(request, socket, isUnavailable ? closes.tryAgainLater : closes.authenticationFailed);
    }
    const { headers, detail } = challengeFor(failure, "handshake");
    refuseUpgrade(socket, { name: isUnavailable ? "authentication-unavailable" : "invalid-token", detail, headers });
  }

  #sendAway(
    { request, socket }: Pick<Candidate, "request" | "socket">,
    reason: RefusalReason,
    entry: CloseEntry,
  ): void {
    this.#options.tally.refused.add(reason);
    this.#close(request, socket, entry);
  }

  /** There is no backend: clients of Sluice's own are told when to come back, behind all who are away already. */
  #sendAwayUntilLater({ request, socket }: Candidate): void {
    const { tally, tunnels, rules, returns } = this.#options;
    tally.refused.add("no-backend");
    const { disconnectFrame } = rules();
    const farewell = (subprotocol: string | undefined): Buffer | undefined =>
      isToldByFrame(disconnectFrame, subprotocol) ? returns.nextFrame(vainReturnMsMin) : undefined;
    closeAfterHandshake(request, socket, closes.backendUnavailable, tunnels.bounds.closeMs, farewell);
  }

  #close(request: IncomingMessage, socket: Socket, entry: CloseEntry): void {
    closeAfterHandshake(request, socket, entry, this.#options.tunnels.bounds.closeMs);
  }

  async #connect(candidate: Candidate, caller: Caller): Promise<void> {
    const { socket, deadline } = candidate;
    const authorization = await this.#options.authorizationFor(caller);
    const found = await findBackend(this.#options, {
      dial: (backend) => this.#dial(candidate, backend, authorization),
      dialsAtOnceMax: this.#options.rules().dialsAtOnceMax,
      deadline,
      isWanted: () => !deadline.isPast && !socket.destroyed,
    });
    if (found.kind === "open") this.#open(candidate, caller, found.backend, found.dialled);
    else if (found.kind === "refused") this.#refuseAsBackend(candidate, found.status);
    else if (!socket.destroyed) this.#sendAwayUntilLater(candidate);
  }

  #dial(
    { request, address, deadline }: Candidate,
    backend: Backend,
    authorization: string | undefined,
  ): Promise<DialOutcome> {
    const isTls = "encrypted" in request.socket;
    return dialBackend({
      url: backend.url,
      target: forwardedTarget(request.url ?? "/", backend.url),
      headers: forwardedHeaders(request, handshakeHeaders, { clientAddress: address, isTls, authorization }),
      subprotocols: subprotocolsWithoutTokens(offeredSubprotocols(request.headers)),
      extensions: request.headers["sec-websocket-extensions"],
      keepaliveMs: this.#options.rules().keepaliveMs,
      deadline,
    });
  }

  /** What a backend refuses this caller with, in our own words: nothing of its answer goes through. */
  #refuseAsBackend(candidate: Candidate, status: 400 | 401 | 403 | 404 | 429): void {
    this.#options.tally.refused.add("backend-refused");
    const { socket } = candidate;
    switch (status) {
      case 401:
        return this.#refuseToken(candidate, { ok: false, reason: "inactive", status: 401 });
      case 429:
        return this.#close(candidate.request, socket, closes.tryAgainLater);
      case 403:
        return refuseUpgrade(socket, { name: "forbidden", detail: "The service does not let this caller in" });
      case 404:
        return refuseUpgrade(socket, { name: "not-found", detail: "The service has no WebSocket at this path" });
      case 400:
        return refuseUpgrade(socket, { name: "bad-request", detail: "The service does not take this handshake" });
    }
  }

  #open(
    { request, socket, head, address, startMs }: Candidate,
    caller: Caller,
    backend: Backend,
    dialled: Dialled,
  ): void {
    const { clock, tally, rules, tunnels } = this.#options;
    const { keepaliveMs, disconnectFrame } = rules();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepaliveMs);
    acceptClient(request, socket, dialled);
    tally.tunnelsOpened += 1;
    tally.handshakeSeconds.observe((clock.now() - startMs) / msPerS);
    const names = extensionNames(dialled.extensions ?? "");
    const isKnown = names.every((name) => name === "permessage-deflate");
    const reservedBits = names.length === 0 ? 0 : isKnown ? deflateBit : anyBit;
    const ends = {
      client: socket,
      clientHead: head,
      backend: dialled.backend,
      backendHead: dialled.head,
      reservedBits,
    };
    const isSluice = isToldByFrame(disconnectFrame, dialled.subprotocol);
    tunnels.open(ends, { userId: caller.userId, remoteAddress: address, backend, isSluice });
  }
}

/** Apart, so that the listener keeps nothing else alive. */
function releaseWith(socket: Socket, place: Place): void {
  socket.once("close", () => place.release());
}
