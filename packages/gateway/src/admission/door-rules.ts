// The settings of the door that may change while it is open: read anew for every caller.
import { subprotocol as sluiceSubprotocol } from "@sluice/protocol";
import type { Settings } from "@sluice/runtime";
import { type ClientAddress, clientAddressBehind } from "./client-address.js";

export interface DoorRules {
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly clientAddress: ClientAddress;
  /** For authentication and the backend's answer together; the request's head has as long before. */
  readonly handshakeMs: number;
  /** `gateway.limits.dials_per_backend`. */
  readonly dialsAtOnceMax: number;
  readonly keepaliveMs: number;
  /** Which clients are told of a drain before its close: those that agreed on `sluice.v1`, all, or none. */
  readonly disconnectFrame: "negotiated" | "always" | "never";
}

/** Whether a client that agreed on `subprotocol` is told things by frames of the gateway's own. */
export function isToldByFrame(rule: DoorRules["disconnectFrame"], subprotocol: string | undefined): boolean {
  return rule === "always" || (rule === "negotiated" && subprotocol === sluiceSubprotocol);
}

/** Those of the settings. */
export function doorRulesOf({ gateway }: Settings): DoorRules {
  return {
    allowedHosts: gateway.allowed_hosts,
    allowedOrigins: gateway.allowed_origins,
    clientAddress: clientAddressBehind(gateway.trusted_proxies),
    handshakeMs: gateway.limits.handshake_ms,
    dialsAtOnceMax: gateway.limits.dials_per_backend,
    keepaliveMs: gateway.tunnel.keepalive_ms,
    disconnectFrame: gateway.tunnel.disconnect_frame,
  };
}
