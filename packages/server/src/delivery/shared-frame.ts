// A frame that many get at one moment, encoded once for all of them.
import type { ServerFrame } from "@sluice/protocol";
import type { Encoding } from "../routing/encoding.js";

/** Keeps the last frame that was encoded. */
export class SharedFrame {
  #frame: ServerFrame | undefined;
  #encoding: Encoding | undefined;
  #bytes: Buffer | undefined;

  /** The frame's bytes: the same buffer as the last time where it is the same object and encoding. Not to be changed. */
  encode(encoding: Encoding, frame: ServerFrame): Buffer {
    if (this.#bytes === undefined || this.#frame !== frame || this.#encoding !== encoding) {
      this.#frame = frame;
      this.#encoding = encoding;
      this.#bytes = encoding.encodeFrame(frame);
    }
    return this.#bytes;
  }
}
