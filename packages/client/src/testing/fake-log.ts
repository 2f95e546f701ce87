// The history of a service without a network: answers `GET /api/v1/events` from a list, and publishing as it is told.
import type { SluiceEvent } from "../event.js";
import type { Fetch } from "../http-api.js";
import { eventOf } from "./fake-socket.js";

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FakeAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export class FakeLog {
  epoch = "e1";
  events: SluiceEvent[] = [];
  readonly requests: FakeRequest[] = [];
  /** Answers in place of the log's own; an Error is a network that failed. */
  readonly answers: (FakeAnswer | Error)[] = [];

  /** Events with these seqs are in the log. */
  add(...seqs: readonly number[]): void {
    for (const seq of seqs) this.events.push(eventOf(seq));
  }

  readonly fetch: Fetch = async (url, { method, headers, body }) => {
    const { pathname, searchParams } = new URL(url);
    const query = Object.fromEntries(searchParams);
    const request = {
      method,
      path: pathname,
      query,
      headers,
      body: body === null ? undefined : (JSON.parse(body) as unknown),
    };
    this.requests.push(request);
    const answer = this.answers.shift() ?? this.#answer(request);
    if (answer instanceof Error) throw answer;
    return {
      status: answer.status,
      headers: { get: (name) => answer.headers?.[name] ?? null },
      text: async () => (answer.json === undefined ? "" : JSON.stringify(answer.json)),
    };
  };

  #answer({ method, query, body }: FakeRequest): FakeAnswer {
    if (method === "POST")
      return { status: 202, json: { accepted: (body as unknown[]).length, first_seq: 1, last_seq: 1 } };
    const [since, until, limit] = [query["since"], query["until"], query["limit"]].map(Number) as [
      number,
      number,
      number,
    ];
    const found = this.events.filter(({ seq }) => seq > since && seq <= until);
    const page = found.slice(0, limit);
    const next = found.length > page.length ? (page.at(-1)?.seq ?? null) : null;
    return { status: 200, json: { epoch: this.epoch, next, events: page } };
  }
}
