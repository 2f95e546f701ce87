// Another host behind a cable, for a part that is to lose its way to some and keep it to others: a network namespace
// with a pair of virtual Ethernet ends. Takes root and Linux.
import { execFileSync } from "node:child_process";

/** A host that sees two addresses of this one, and can be made to lose one of them. */
export class FarHost implements Disposable {
  /** Addresses of this machine that the other host sees. */
  readonly nearAddress: string;
  readonly secondNearAddress: string;
  /** The other host's. */
  readonly address: string;
  readonly #name = `sluice-far-${process.pid}`;
  readonly #near = `sf${process.pid}a`;

  private constructor() {
    const net = `10.214.${process.pid % 250}`;
    this.nearAddress = `${net}.1`;
    this.address = `${net}.2`;
    this.secondNearAddress = `${net}.3`;
    ip("netns", "add", this.#name);
    try {
      const far = `sf${process.pid}b`;
      ip("link", "add", this.#near, "type", "veth", "peer", "name", far, "netns", this.#name);
      for (const near of [this.nearAddress, this.secondNearAddress]) ip("addr", "add", `${near}/29`, "dev", this.#near);
      ip("link", "set", this.#near, "up");
      ip("-n", this.#name, "addr", "add", `${this.address}/29`, "dev", far);
      ip("-n", this.#name, "link", "set", far, "up");
      ip("-n", this.#name, "link", "set", "lo", "up");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Makes one; undefined where that is not permitted, which is said on stdout: the test is to be skipped. */
  static make(): FarHost | undefined {
    try {
      return new FarHost();
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      process.stdout.write(`SKIPPED: no network namespace can be made here: ${reason}\n`);
      return undefined;
    }
  }

  /** What to put before a command for it to run there. */
  get prefix(): readonly string[] {
    return ["ip", "netns", "exec", this.#name];
  }

  /** From now on what it sends to `address` is dropped. */
  lose(address: string): void {
    ip("-n", this.#name, "route", "add", "blackhole", `${address}/32`);
  }

  /** It arrives again. */
  find(address: string): void {
    ip("-n", this.#name, "route", "del", "blackhole", `${address}/32`);
  }

  [Symbol.dispose](): void {
    ip("netns", "del", this.#name);
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
