// Events by the thousand, as a publisher would have them in a file.

/** One event as it is published. */
export interface TestEvent {
  readonly event_type: string;
  readonly cluster_id?: string;
  readonly event_id?: string;
  readonly payload: unknown;
}

/** `count` events of one type, numbered in their payload from `first`. */
export function numberedEvents(count: number, first = 0, more: Partial<TestEvent> = {}): TestEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    event_type: "GPU_UPDATE",
    cluster_id: "c-1",
    ...more,
    payload: { n: first + index },
  }));
}

/** The events one a line. */
export function toNdjson(events: readonly unknown[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

/** The number that `numberedEvents` gave an event. */
export function numberOf(event: { readonly payload: unknown }): number {
  return (event.payload as { readonly n: number }).n;
}
