import { beforeEach, describe, expect, it } from "vitest";
import { messageMsMax, UnfinishedMessages, type Incoming } from "./unfinished-messages.js";

let nowMs: number;
let isHeld: boolean;
let expired: number;
let messages: UnfinishedMessages;
const incoming: Incoming = {
  isHeld: () => isHeld,
  expire: () => {
    expired += 1;
  },
};

beforeEach(() => {
  nowMs = 1000;
  isHeld = false;
  expired = 0;
  messages = new UnfinishedMessages({ now: () => nowMs, wall: () => 0 });
});

function pass(ms: number): number {
  nowMs += ms;
  messages.check();
  return expired;
}

describe("UnfinishedMessages", () => {
  it("ends what isn't whole after its time, once", () => {
    messages.began(incoming);
    expect(pass(messageMsMax)).toBe(0);
    expect(pass(1)).toBe(1);
    expect(pass(messageMsMax * 2)).toBe(1);
  });

  it("counts from the first byte, however many follow", () => {
    messages.began(incoming);
    pass(messageMsMax - 1);
    messages.began(incoming);
    expect(pass(2)).toBe(1);
  });

  it("leaves what became whole in time", () => {
    messages.began(incoming);
    pass(messageMsMax);
    messages.ended(incoming);
    expect(pass(messageMsMax * 2)).toBe(0);
  });

  it("doesn't count the time in which we don't read", () => {
    messages.began(incoming);
    isHeld = true;
    expect(pass(messageMsMax * 3)).toBe(0);
    isHeld = false;
    expect(pass(messageMsMax)).toBe(0);
    expect(pass(1)).toBe(1);
  });
});
