// Events compressed once for all who negotiated `permessage-deflate` without context takeover (RFC 7692 §7.1.1): each
// frame stands for itself, so that one compressed frame is good for every such connection and none has a compressor.

import { constants, deflateRawSync } from "node:zlib";
import type { Encoding } from "./encoding.js";
import { deflatedFrame, eventPayload, websocketEncoding } from "./websocket-encoding.js";

/** Smaller payloads are sent as they are: without earlier ones to refer to, they hardly shrink. Chosen by bench. */
const deflateBytesMin = 512;

/**
 * Level 1 and 32 KiB of working memory: an event takes 20 to 40 µs, and a kilobyte of JSON shrinks to about half, which
 * higher levels better by a few per cent. A smaller window than was negotiated is always allowed.
 */
const zlibOptions = { level: 1, windowBits: 12, memLevel: 5, finishFlush: constants.Z_SYNC_FLUSH };

/** What a sync flush ends with and the receiver adds again (RFC 7692 §7.2.1): 00 00 FF FF. */
const tailBytes = 4;

export const deflateEncoding: Encoding = {
  ...websocketEncoding,
  name: "websocket-deflate",
  slot: 2,
  encodeLive: (record) => {
    const payload = eventPayload(record);
    if (payload.length >= deflateBytesMin) {
      const deflated = deflateRawSync(payload, zlibOptions);
      if (deflated.length - tailBytes < payload.length) return deflatedFrame(deflated.subarray(0, -tailBytes));
    }
    const plain = Buffer.allocUnsafe(websocketEncoding.eventBytes(record));
    websocketEncoding.writeEvent(record, plain, 0);
    return plain;
  },
};
