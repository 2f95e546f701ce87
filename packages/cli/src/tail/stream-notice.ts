// What people should hear about a stream, apart from its events.
import type { DisconnectFrame, GapFrame, LagFrame } from "@sluice/protocol";

/** One thing that happened to a stream. */
export type StreamNotice =
  | {
      readonly kind: "subscribed";
      readonly userId: string;
      readonly resumedAfter: number | undefined;
      readonly seq: number;
    }
  | { readonly kind: "live"; readonly seq: number }
  | { readonly kind: "other-log" }
  | { readonly kind: "gap"; readonly gap: GapFrame }
  | { readonly kind: "lag"; readonly lag: LagFrame }
  | { readonly kind: "draining"; readonly frame: DisconnectFrame }
  | { readonly kind: "token-expiring"; readonly expiresAt: string }
  | { readonly kind: "token-refreshed"; readonly expiresAt: string }
  /** No longer allowed: `events` in `clusters`; empty: in any. */
  | { readonly kind: "unsubscribed"; readonly events: readonly string[]; readonly clusters: readonly string[] }
  | { readonly kind: "server-error"; readonly code: string; readonly message: string }
  | { readonly kind: "lost"; readonly why: string; readonly retryInMs: number };

/** How a stream ended for good. */
export type StreamEnd =
  /** We ended it. */
  | { readonly kind: "stopped" }
  /** Coming back is not allowed, or of no use; `why` in words. */
  | { readonly kind: "refused"; readonly why: string }
  /** The token is missing, refused or expired, or does not allow the subscription. */
  | { readonly kind: "no-permission"; readonly why: string }
  /** Not reached for as long as was asked for. */
  | { readonly kind: "gave-up"; readonly why: string };
