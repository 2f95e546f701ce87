import { expect, it } from "vitest";
import { JoinedMemory } from "./joined-memory.js";

const piece = 64 * 1024;
const of = (byte: number, length: number): Buffer => Buffer.alloc(length, byte);

it("joins in the same memory again and again", () => {
  const memory = new JoinedMemory();
  const first = memory.join([of(1, 3), of(2, 2)]);
  expect([...first]).toEqual([1, 1, 1, 2, 2]);
  const second = memory.join([of(3, 4)]);
  expect([...second]).toEqual([3, 3, 3, 3]);
  expect([second.buffer, second.byteOffset]).toEqual([first.buffer, first.byteOffset]);
});

it("leaves what is kept as it is, once for all who keep it, and joins behind it", () => {
  const memory = new JoinedMemory();
  const kept = memory.join([of(1, 100)]);
  memory.keep(kept);
  memory.keep(kept);
  const next = memory.join([of(2, 100)]);
  expect(next.byteOffset).toBe(kept.byteOffset + 100);
  memory.join([of(3, 100)]);
  expect(kept.equals(of(1, 100))).toBe(true);
});

it("knows what it has joined last, and nothing else", () => {
  const memory = new JoinedMemory();
  const old = memory.join([of(1, 10)]);
  const joined = memory.join([of(2, 10)]);
  memory.keep(old);
  memory.keep(of(2, 10));
  expect(memory.join([of(3, 10)]).byteOffset).toBe(joined.byteOffset);
});

it.each([
  { left: piece - 100 - 1, isNew: true },
  { left: piece - 100, isNew: false },
  { left: piece - 100 + 1, isNew: false },
])(
  "takes a new piece where what is kept leaves too little room: $left bytes wanted, new: $isNew",
  ({ left, isNew }) => {
    const memory = new JoinedMemory();
    const kept = memory.join([of(1, piece - left)]);
    memory.keep(kept);
    const next = memory.join([of(2, piece - 100)]);
    expect(next.buffer === kept.buffer).toBe(!isNew);
    expect(kept.equals(of(1, piece - left))).toBe(true);
  },
);

it.each([
  { length: piece - 1, isOwn: false },
  { length: piece, isOwn: false },
  { length: piece + 1, isOwn: true },
])("gives $length bytes memory of their own: $isOwn", ({ length, isOwn }) => {
  const memory = new JoinedMemory();
  const small = memory.join([of(1, 8)]);
  const joined = memory.join([of(2, 8), of(3, length - 8)]);
  expect(joined.length).toBe(length);
  expect(joined.buffer !== small.buffer).toBe(isOwn);
});
