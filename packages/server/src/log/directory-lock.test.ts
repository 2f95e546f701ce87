import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectoryLock } from "./directory-lock.js";
import { describeThisProcess, type LockHolder } from "./lock-holder.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-lock-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const staleToken = "00000000-1111-2222-3333-444444444444";

const leaveLock = async (over: Partial<LockHolder>): Promise<void> => {
  await writeFile(join(dir, "lock"), JSON.stringify({ ...(await describeThisProcess()), ...over }));
};

/** A process that waits, and its start time. */
const startChild = async (): Promise<{ pid: number; started: string; kill: () => Promise<void> }> => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log('up')"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  const stat = await readFile(`/proc/${child.pid}/stat`, "utf8");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { pid: child.pid ?? 0, started, kill };
};

describe("DirectoryLock", () => {
  it("is held by one, and free after its release", async () => {
    const lock = await DirectoryLock.acquire(dir);
    await expect(DirectoryLock.acquire(dir)).rejects.toThrow(`process ${process.pid} `);
    expect(await readdir(dir)).toEqual(["lock"]);
    await lock.release();
    expect(await readdir(dir)).toEqual([]);
    await (await DirectoryLock.acquire(dir)).release();
  });

  it("is given to one of many who ask at once, also over a stale one", async () => {
    await leaveLock({ started: "1" });
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => DirectoryLock.acquire(dir)));
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await readdir(dir)).toEqual(["lock"]);
  });

  it("names the living process that holds it, and is free when that is killed", async () => {
    const child = await startChild();
    await leaveLock({ pid: child.pid, started: child.started });
    await expect(DirectoryLock.acquire(dir)).rejects.toThrow(`process ${child.pid} `);
    await child.kill();
    await (await DirectoryLock.acquire(dir)).release();
  });

  it.each([
    ["started at another time", { started: "1" }],
    ["of an earlier boot", { boot: "11111111-2222-3333-4444-555555555555" }],
    ["of an earlier boot and another host name", { boot: "11111111-2222-3333-4444-555555555555", host: "other" }],
  ])("is taken over from a process %s", async (_, over) => {
    await leaveLock({ ...over, token: staleToken });
    const lock = await DirectoryLock.acquire(dir);
    expect(await readFile(join(dir, "lock"), "utf8")).not.toContain(staleToken);
    await lock.release();
  });

  it("is not taken from a process of another host name on this boot, which cannot be seen", async () => {
    await leaveLock({ host: "other-container", started: "1" });
    await expect(DirectoryLock.acquire(dir)).rejects.toThrow("other-container");
  });

  it("goes by the pid alone where start times are not told", async () => {
    await leaveLock({ started: null });
    await expect(DirectoryLock.acquire(dir)).rejects.toMatchObject({ code: "LOG_LOCKED" });
    const child = await startChild();
    await child.kill();
    await leaveLock({ started: null, pid: child.pid });
    await (await DirectoryLock.acquire(dir)).release();
  });

  it.each(["", "{", "null", "7", `{"token":"t"}`, `{"token":"t","pid":1,"host":"h","started":7,"boot":null}`])(
    "takes over what is not a lock of ours: %s",
    async (text) => {
      await writeFile(join(dir, "lock"), text);
      const lock = await DirectoryLock.acquire(dir);
      expect(await readFile(join(dir, "lock"), "utf8")).toContain(`"pid":${process.pid}`);
      await lock.release();
    },
  );

  it("leaves alone, when released, what is another's by then", async () => {
    const lock = await DirectoryLock.acquire(dir);
    await leaveLock({ token: staleToken });
    await lock.release();
    expect(await readFile(join(dir, "lock"), "utf8")).toContain(staleToken);
    await rm(join(dir, "lock"));
    await lock.release();
  });

  it("is taken over also where the one who took it over was killed in the middle", async () => {
    await leaveLock({ started: "1", token: staleToken });
    const guard = join(dir, `lock.${staleToken}`);
    await writeFile(guard, JSON.stringify({ ...(await describeThisProcess()), started: "2" }));
    const lock = await DirectoryLock.acquire(dir);
    expect(await readdir(dir)).toEqual(["lock"]);
    await lock.release();
    await leaveLock({ started: "1", token: staleToken });
    await writeFile(guard, JSON.stringify(await describeThisProcess()));
    await expect(DirectoryLock.acquire(dir), "while it is being taken over").rejects.toThrow(`process ${process.pid} `);
  });

  it("tells what the file system says where there is no such directory", async () => {
    await expect(DirectoryLock.acquire(join(dir, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
