// Pages of what the log holds (protocol.md §8, `GET /api/v1/events`).
import type { Gap, SluiceEvent } from "./event.js";
import type { HistoryPage, HistoryRequest } from "./feed.js";
import type { HttpApi } from "./http-api.js";
import { wants } from "./interest.js";
import { noAnswer } from "./sluice-error.js";

/** Most events of a page. The server bounds its bytes (4 MiB). */
const pageEventsMax = 500;
/** Characters of clusters in a query; with more the page is asked for without, and sifted here. */
const clusterTextMax = 4_000;

/** Fetches one page of at most `eventsMax`; tries until the service answers or `signal` is aborted. @throws {SluiceError} when it refuses. */
export async function fetchHistory(api: HttpApi, request: HistoryRequest, eventsMax: number): Promise<HistoryPage> {
  const { interest, since, until, epoch, signal } = request;
  const clusters = interest.clusters.join();
  const answer = await api({
    path: "api/v1/events",
    query: {
      since,
      until,
      epoch,
      limit: Math.min(pageEventsMax, eventsMax),
      events: interest.events.join(),
      clusters: clusters === "" || clusters.length > clusterTextMax ? undefined : clusters,
    },
    signal,
  });
  const { epoch: answeredEpoch, events, next, gap } = answer;
  if (!Array.isArray(events)) throw noAnswer();
  const wanted = (events as SluiceEvent[]).filter((event) => wants(interest, event));
  return {
    epoch: answeredEpoch as string,
    items: gap === undefined ? wanted : [gap as Gap, ...wanted],
    to: (next as number | null) ?? until,
  };
}
