import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { execPath } from "node:process";
import { expect, it } from "vitest";
import { root } from "./repository.mjs";

it.each([[[]], [["no-such-task"]], [["toString"]]])("says which tasks there are when asked for %j", (words) => {
  const { status, stderr } = spawnSync(execPath, [join(root, "tools", "with-setup.mjs"), ...words], {
    encoding: "utf8",
  });
  expect(stderr).toBe("Usage: node tools/with-setup.mjs <test|start|ok|bench|setup> [arguments]\n");
  expect(status).toBe(2);
});
