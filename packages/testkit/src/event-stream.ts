// Reads `text/event-stream` as a browser's EventSource does (WHATWG HTML §9.2.6), written from the standard and not
// from our encoder.

/** An event as it is dispatched. */
export interface StreamedEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

/** A parser of one response body. */
export class EventStreamParser {
  readonly events: StreamedEvent[] = [];
  readonly comments: string[] = [];
  /** What a reconnect would send as `Last-Event-ID`. */
  lastEventId = "";
  /** How long to wait before a reconnect, when the stream said so. */
  retryMs: number | undefined;
  /** In the order in which they came: fields that the standard doesn't know, and are ignored. */
  readonly unknownFields: string[] = [];
  #rest = "";
  #type = "";
  #data = "";
  #id = "";

  /** Takes a piece of the body, cut anywhere. */
  push(text: string): void {
    this.#rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?=[^])/.exec(this.#rest);
      if (end === null) return;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      this.#line(line);
    }
  }

  #line(line: string): void {
    if (line === "") this.#dispatch();
    else if (line.startsWith(":")) this.comments.push(line.slice(1));
    else {
      const colon = line.indexOf(":");
      const name = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
      this.#field(name, value);
    }
  }

  #field(name: string, value: string): void {
    if (name === "event") this.#type = value;
    else if (name === "data") this.#data += `${value}\n`;
    else if (name === "id") {
      if (!value.includes("\0")) this.#id = value;
    } else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    else this.unknownFields.push(name);
  }

  #dispatch(): void {
    this.lastEventId = this.#id;
    const [type, data] = [this.#type, this.#data];
    this.#type = "";
    this.#data = "";
    if (data === "") return;
    this.events.push({ type: type === "" ? "message" : type, data: data.slice(0, -1), lastEventId: this.lastEventId });
  }
}
