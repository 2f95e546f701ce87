// What a subscription yields: events as they are on the wire (protocol.md §4), and gaps.
import type { GapFrame, ServerFrame } from "@sluice/protocol";

/** One event of a known type. Members are named as on the wire. */
export interface EventOf<Type extends string, Payload> {
  readonly type: "event";
  /** Strictly increasing within one log; below 2^53. */
  readonly seq: number;
  readonly event_id: string;
  readonly event_type: Type;
  readonly cluster_id?: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string;
  readonly source?: string;
  readonly subject?: string;
  readonly payload: Payload;
}

/** Payloads by event type, where nothing is known of them. */
export type AnyEvents = Readonly<Record<string, unknown>>;

/** Any event of a map of payloads by event type: comparing `event_type` narrows `payload`. */
export type SluiceEvent<Events extends object = AnyEvents> = {
  [Type in keyof Events & string]: EventOf<Type, Events[Type]>;
}[keyof Events & string];

/**
 * The token's rights have shrunk (protocol.md §6): the subscription goes on without what was taken. Events that had come
 * by then and wait for their consumer are handed out still.
 */
export interface RightsGap extends Omit<GapFrame, "reason"> {
  readonly reason: "forbidden";
  /** Of these patterns … */
  readonly events: readonly string[];
  /** … nothing comes from these clusters any more; from any, when undefined. */
  readonly clusters: readonly string[] | undefined;
}

/** Events are missing here, in this place of the stream (protocol.md §5), or from here on. */
export type Gap = GapFrame | RightsGap;

/** Any frame of the server. */
export type ServerMessage = SluiceEvent | ServerFrame;

/** Reads one text message; undefined for what is no JSON object with a `type`. Unknown types are the caller's to pass over. */
export function readMessage(text: string): ServerMessage | undefined {
  try {
    const value = JSON.parse(text) as Partial<ServerMessage> | null;
    return typeof value?.type === "string" ? (value as ServerMessage) : undefined;
  } catch {
    return undefined;
  }
}
