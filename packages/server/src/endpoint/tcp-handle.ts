// What Node's net.Socket itself writes through and reads into, for writing without a stream's state and reading into
// memory that all connections share. Node documents none of it: what isn't found is done without (docs/decisions/0006).

import { Socket } from "node:net";

/** A write that the kernel may not take at once; Node's `WriteWrap`. */
export interface WriteRequest {
  /** -1 unless the write is under way. */
  getAsyncId(): number;
  /** Keeps the bytes while the write is under way. */
  buffer?: Uint8Array;
}

/** Node's `TCP`. */
export interface TcpHandle {
  /**
   * Writes what the kernel takes now; the rest is under way with the request, in order. Returns 0 or an error's number.
   */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  /** From now on what is read goes to this memory and is told to the socket's own callback. */
  useUserBuffer(memory: Uint8Array): void;
}

type Handles = { readonly _handle?: Partial<TcpHandle> | null };

/** The handle of a connected socket; undefined where it has none of the kind. */
export function handleOf(socket: Socket): TcpHandle | undefined {
  const handle = (socket as unknown as Handles)._handle;
  const isWhole = typeof handle?.writeBuffer === "function" && typeof handle.useUserBuffer === "function";
  return isWhole ? (handle as TcpHandle) : undefined;
}

/** Makes requests for `writeBuffer`; undefined where Node has no such thing. */
export const newWriteRequest: (() => WriteRequest) | undefined = findWriteRequest();

/** A socket on a handle that goes nowhere shows what Node gives to a handle. */
function findWriteRequest(): (() => WriteRequest) | undefined {
  let found: WriteRequest | undefined;
  const handle = {
    writeBuffer: (request: WriteRequest) => {
      found = request;
      return 0;
    },
    readStart: () => 0,
    readStop: () => 0,
    close: () => {},
  };
  const socket = new Socket({ handle } as object);
  socket.on("error", () => {});
  socket.write(Buffer.alloc(1));
  socket.destroy();
  const type = found?.constructor as (new () => WriteRequest) | undefined;
  if (type === undefined || typeof found?.getAsyncId !== "function") return undefined;
  return new type().getAsyncId() === -1 ? () => new type() : undefined;
}

type OnRead = (count: number, memory: Uint8Array) => boolean;
type Reading = { [key: symbol]: unknown };

const memoryKey = findSymbol("kBuffer");
const onReadKey = findSymbol("kBufferCb");

function findSymbol(name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(new Socket()).find((symbol) => symbol.description === name);
}

/**
 * Has a socket read into `memory`, as the documented option `onread` of a socket that connects does; one that was
 * accepted has no such option. The callback's false stops the reading until the stream is read on. Returns false where
 * it can't be had.
 */
export function readInto(socket: Socket, memory: Uint8Array, onRead: OnRead): boolean {
  const handle = handleOf(socket);
  if (handle === undefined || memoryKey === undefined || onReadKey === undefined) return false;
  const reading = socket as unknown as Reading;
  reading[memoryKey] = memory;
  reading[onReadKey] = onRead;
  handle.useUserBuffer(memory);
  return true;
}
