// The `fetch` that the client gets on the command line: one connection that is kept, and no ports that are forbidden.
import type { Fetch } from "@sluice/client";
import { Agent, request } from "undici";

/** Longest wait for an answer, ms; the client itself waits less. */
const answerMaxMs = 30_000;
/** Longest wait for a connection, ms. */
const connectMaxMs = 10_000;

const agent = new Agent({
  connections: 1,
  connectTimeout: connectMaxMs,
  headersTimeout: answerMaxMs,
  bodyTimeout: answerMaxMs,
});

/** As `fetch`, of which the client uses little. Its errors carry the code of the operating system. */
export const nodeFetch: Fetch = async (url, { method, headers, body, signal }) => {
  const response = await request(url, {
    method: method === "POST" ? "POST" : "GET",
    headers,
    body,
    signal,
    dispatcher: agent,
  });
  return {
    status: response.statusCode,
    headers: {
      get(name) {
        const value = response.headers[name];
        return typeof value === "string" ? value : null;
      },
    },
    text: () => response.body.text(),
  };
};
