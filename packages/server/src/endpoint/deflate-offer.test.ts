import { expect, it } from "vitest";
import { acceptableOffers } from "./deflate-offer.js";

it.each([
  [undefined, undefined],
  ["x-foo", undefined],
  ["permessage-deflate", "permessage-deflate"],
  ["permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits"],
  ['permessage-deflate; client_max_window_bits="10"', 'permessage-deflate; client_max_window_bits="10"'],
  ["permessage-deflate; server_max_window_bits=12", "permessage-deflate; server_max_window_bits=12"],
  ["permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"],
  ["permessage-deflate; server_max_window_bits=11", undefined],
  ["permessage-deflate; server_max_window_bits=16", undefined],
  ["permessage-deflate; server_max_window_bits=10, permessage-deflate", "permessage-deflate"],
  ["permessage-deflate; server_max_window_bits", undefined],
  ["permessage-deflate; client_max_window_bits=7", undefined],
  ["permessage-deflate; client_max_window_bits=16", undefined],
  ["permessage-deflate; client_max_window_bits=08", undefined],
  ["permessage-deflate; server_no_context_takeover=1", undefined],
  ["permessage-deflate; client_no_context_takeover; client_no_context_takeover", undefined],
  ["permessage-deflate; level=9", undefined],
  ["x-foo, permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"],
])("of %j can be taken %j", (offers, acceptable) => {
  expect(acceptableOffers(offers)).toBe(acceptable);
});
