// A request's body on its way to a backend, up to a number of bytes.
import type { Readable } from "node:stream";
import { Transform, type TransformCallback } from "node:stream";

/** The body was larger than is taken. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

class BoundedBody extends Transform {
  #left: number;

  constructor(bytesMax: number) {
    super();
    this.#left = bytesMax;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#left -= chunk.length;
    if (this.#left < 0) done(new BodyTooLargeError("the body is larger than is taken"));
    else done(null, chunk);
  }
}

/**
 * `head`, and then the rest of `source`, as a stream of its own, which whoever reads it may destroy without harm to the
 * source's connection. Past the bound it fails with {@link BodyTooLargeError}.
 */
export function boundedBody(source: Readable, bytesMax: number, head: Buffer): Readable {
  const body = new BoundedBody(bytesMax);
  body.on("error", () => source.unpipe(body));
  if (head.length > 0) body.write(head);
  source.pipe(body);
  return body;
}
