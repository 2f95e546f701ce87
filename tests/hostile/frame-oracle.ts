// What RFC 6455 and the protocol say of a sequence of frames, written from them and not from our decoder.
import { isUtf8 } from "node:buffer";
import { opcodes, type FrameBytesOptions } from "@sluice/testkit";

/** A frame with everything said. */
export interface FuzzedFrame extends Required<Pick<FrameBytesOptions, "opcode" | "fin" | "rsv" | "masked">> {
  readonly payload: Buffer;
}

const fragmentsMax = 16;
const controlBytesMax = 125;
const closes = { protocol: 1002, textOnly: 1003, utf8: 1007, policy: 1008 } as const;

/** Whether the header alone breaks a rule, were it in order otherwise: what a gateway sees too. */
interface State {
  isInMessage: boolean;
  isBinary: boolean;
  fragments: number;
  parts: Buffer[];
}

function isControl(opcode: number): boolean {
  return opcode >= opcodes.close;
}

function headerFault({ opcode, fin, rsv, masked, payload }: FuzzedFrame, { isInMessage }: State): boolean {
  if (rsv !== 0 || !masked) return true;
  if (isControl(opcode)) {
    if (opcode > opcodes.pong || !fin || payload.length > controlBytesMax) return true;
    return opcode === opcodes.close && payload.length === 1;
  }
  if (opcode > opcodes.binary) return true;
  return (opcode === opcodes.continuation) !== isInMessage;
}

function closeAnswer(payload: Buffer): number {
  if (payload.length === 0) return 1005;
  const code = payload.readUInt16BE();
  const isDefined = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  if (!isDefined && (code < 3000 || code > 4999)) return closes.protocol;
  return isUtf8(payload.subarray(2)) ? code : closes.utf8;
}

/** The close code that the sequence ends in, and how many frames were heard; undefined while it lives on. */
export function verdictOf(frames: readonly FuzzedFrame[]): { code: number; at: number } | undefined {
  const state: State = { isInMessage: false, isBinary: false, fragments: 0, parts: [] };
  for (const [at, frame] of frames.entries()) {
    const code = step(frame, state);
    if (code !== undefined) return { code, at };
  }
  return undefined;
}

function step(frame: FuzzedFrame, state: State): number | undefined {
  if (headerFault(frame, state)) return closes.protocol;
  if (frame.opcode === opcodes.close) return closeAnswer(frame.payload);
  if (isControl(frame.opcode)) return undefined;
  if (frame.opcode !== opcodes.continuation) {
    state.isBinary = frame.opcode === opcodes.binary;
    state.fragments = 0;
    state.parts = [];
  }
  state.fragments += 1;
  state.parts.push(frame.payload);
  state.isInMessage = !frame.fin;
  if (state.fragments > fragmentsMax) return closes.policy;
  if (state.isInMessage) return undefined;
  if (state.isBinary) return closes.textOnly;
  return isUtf8(Buffer.concat(state.parts)) ? undefined : closes.utf8;
}

/** Whether any frame's header, from there on, breaks a rule: a gateway may see that first. */
export function hasLaterFault(frames: readonly FuzzedFrame[], from: number): boolean {
  const state: State = { isInMessage: false, isBinary: false, fragments: 0, parts: [] };
  return frames.some((frame, at) => {
    const isFaulty = headerFault(frame, state);
    if (!isControl(frame.opcode)) state.isInMessage = !frame.fin;
    return isFaulty && at >= from;
  });
}
