// The settings of the door that may change while it is open: read anew for every caller.
import type { Settings } from "@sluice/runtime";
import { type ClientAddress, clientAddressBehind } from "./client-address.js";

export interface DoorRules {
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly clientAddress: ClientAddress;
  /** For authentication and the backend's answer together; the request's head has as long before. */
  readonly handshakeMs: number;
  readonly keepaliveMs: number;
  /** Which clients are told of a drain before its close: those that agreed on `sluice.v1`, all, or none. */
  readonly disconnectFrame: "negotiated" | "always" | "never";
}

/** Those of the settings. */
export function doorRulesOf({ gateway }: Settings): DoorRules {
  return {
    allowedHosts: gateway.allowed_hosts,
    allowedOrigins: gateway.allowed_origins,
    clientAddress: clientAddressBehind(gateway.trusted_proxies),
    handshakeMs: gateway.limits.handshake_ms,
    keepaliveMs: gateway.tunnel.keepalive_ms,
    disconnectFrame: gateway.tunnel.disconnect_frame,
  };
}
