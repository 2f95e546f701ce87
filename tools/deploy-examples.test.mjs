// The example configurations can be read, and are what the program takes: settings by the real schema, the NATS
// configuration by nats-server where it is installed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadSettings } from "@sluice/runtime";
import { describe, expect, it } from "vitest";
import { parseAllDocuments, parse } from "yaml";

const pathOf = (name) => fileURLToPath(new URL(`../deploy/${name}`, import.meta.url));
const read = (name) => readFileSync(pathOf(name), "utf8");
const hasNats = spawnSync("nats-server", ["--version"]).status === 0;

/** Documents of a file. @throws where one has a syntax error or a duplicate key */
function documentsOf(name) {
  return parseAllDocuments(read(name)).map((document) => {
    expect(document.errors, `errors of ${name}`).toEqual([]);
    return document.toJS();
  });
}

function expectSettings(text) {
  const environment = {};
  const given = parse(text);
  // The secret's file is there only where it is deployed.
  const flags = Object.entries(given).flatMap(([section, values]) =>
    Object.entries(values)
      .filter(([key]) => key !== "hs256_secret_file")
      .flatMap(([key, value]) => flagsOf(`${section}.${key}`, value)),
  );
  expect(loadSettings({ env: environment, flags })).toMatchObject({ ok: true });
}

function flagsOf(path, value) {
  if (Array.isArray(value)) return [`--${path}=${value.join(",")}`];
  if (typeof value !== "object") return [`--${path}=${value}`];
  return Object.entries(value).flatMap(([key, inner]) => flagsOf(`${path}.${key}`, inner));
}

describe("the example of", () => {
  it.each(["node.yaml", "gateway.yaml"])("%s holds settings that are taken", (name) => {
    expect(documentsOf(name)).toHaveLength(1);
    expectSettings(read(name));
  });

  it("compose.yaml names only services, volumes, secrets and files that there are", () => {
    const [{ services, volumes, secrets }] = documentsOf("compose.yaml");
    expect(Object.keys(services)).toHaveLength(7);
    for (const service of Object.values(services)) {
      for (const name of service.depends_on ?? []) expect(Object.keys(services)).toContain(name);
      for (const name of service.secrets ?? []) expect(Object.keys(secrets)).toContain(name);
      for (const mount of service.volumes) {
        const [source] = mount.split(":");
        if (source.startsWith("./"))
          expect(() => read(`${source.slice(2)}${source === "./nats" ? "/nats.conf" : ""}`)).not.toThrow();
        else expect(Object.keys(volumes)).toContain(source);
      }
    }
  });

  it("kubernetes.yaml is objects whose parts name each other", () => {
    const objects = documentsOf("kubernetes.yaml");
    const kinds = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(kinds).size).toBe(objects.length);
    const config = objects.find(({ kind }) => kind === "ConfigMap");
    expectSettings(config.data["node.yaml"]);
    expectSettings(config.data["gateway.yaml"]);
    for (const { kind, spec } of objects) {
      if (kind !== "StatefulSet" && kind !== "Deployment") continue;
      expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
      const { containers, volumes } = spec.template.spec;
      const names = [...volumes, ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)].map(
        ({ name }) => name,
      );
      for (const { volumeMounts } of containers) {
        for (const { name } of volumeMounts) expect(names).toContain(name);
      }
      for (const { configMap } of volumes.filter((volume) => "configMap" in volume)) {
        for (const { key } of configMap.items) expect(Object.keys(config.data)).toContain(key);
      }
      if (spec.serviceName !== undefined) expect(kinds).toContain(`Service ${spec.serviceName}`);
    }
  });

  it.runIf(hasNats)("nats.conf is taken by nats-server", () => {
    const { status, stderr } = spawnSync("nats-server", ["--config", pathOf("nats/nats.conf"), "-t"], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, expect.stringContaining("is valid")]);
  });
});
