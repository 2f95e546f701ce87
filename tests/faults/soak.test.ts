// Service, gateway and many clients that come and go, for a long time: memory does not climb, no descriptor is left
// behind, the event loop is not held up, and no client misses anything. A few seconds here; `npm run soak` is the long
// form: `SLUICE_SOAK_MINUTES` (30) and `SLUICE_SOAK_CLIENTS` (2000).
import { readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import {
  Crowd,
  eventually,
  metricOf,
  mint,
  numberedEvents,
  publish,
  residentBytes,
  spawnGateway,
  spawnService,
  type CrowdReport,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const minutes = Number(process.env["SLUICE_SOAK_MINUTES"] ?? 0.1);
const clients = Number(process.env["SLUICE_SOAK_CLIENTS"] ?? 100);
/** Every client is another one after so long, s. */
const lifetimeS = minutes < 1 ? 5 : 120;
const eventsPerSecond = 4;
const openMs = 120_000;
const sampleMs = 1_000;
const mebibyte = 1_048_576;
const minuteMs = 60_000;
/** Of the run, what counts as warming up: code is compiled, pools and windows fill. */
const warmShare = 0.4;
/** Below this there is no slope to speak of, minutes. */
const minutesForSlope = 5;
/** Climbing that would be a leak, MiB an hour; a window of the log that fills climbs by less. */
const slopeMax = 60;
/** What may be open beside connections. */
const spareDescriptors = 100;

interface Sample {
  readonly minute: number;
  readonly mebibytes: number;
}

/** One process and what was seen of it. */
class Watched {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  readonly samples: Sample[] = [];
  loopDelayMs = 0;

  constructor(name: string, { pid, url }: { readonly pid: number; readonly url: string }) {
    this.name = name;
    this.pid = pid;
    this.url = url;
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  async look(minute: number): Promise<void> {
    this.samples.push({ minute, mebibytes: residentBytes(this.pid) / mebibyte });
    const delay = await metricOf(this.url, "nodejs_eventloop_lag_p99_seconds");
    this.loopDelayMs = Math.max(this.loopDelayMs, (delay ?? 0) * 1_000);
  }

  /** MiB an hour, by least squares over what comes after warming up. */
  get slope(): number {
    const late = this.samples.slice(Math.floor(this.samples.length * warmShare));
    const mean = (of: (sample: Sample) => number): number => late.reduce((sum, s) => sum + of(s), 0) / late.length;
    const [minuteMean, sizeMean] = [mean(({ minute }) => minute), mean(({ mebibytes }) => mebibytes)];
    const covariance = mean((s) => (s.minute - minuteMean) * (s.mebibytes - sizeMean));
    return (covariance / mean((s) => (s.minute - minuteMean) ** 2)) * 60;
  }

  get story(): string {
    const [first, last] = [this.samples[0], this.samples.at(-1)] as [Sample, Sample];
    const peak = Math.max(...this.samples.map(({ mebibytes }) => mebibytes));
    return (
      `${this.name}: ${first.mebibytes.toFixed(0)} → ${last.mebibytes.toFixed(0)} MiB (peak ${peak.toFixed(0)}, ` +
      `slope ${this.slope.toFixed(1)} MiB/h), ${this.descriptors} descriptors, loop p99 ${this.loopDelayMs.toFixed(0)} ms`
    );
  }
}

it(
  `${minutes} minutes with ${clients} clients that come and go: nothing climbs, nothing is lost`,
  { timeout: minutes * minuteMs + openMs * 3 },
  async () => {
    await using service = await spawnService();
    await using gateway = await spawnGateway([service.url]);
    const idle = [new Watched("service", service), new Watched("gateway", gateway)];
    const descriptorsBefore = idle.map(({ descriptors }) => descriptors);
    let published = 0;
    let last: CrowdReport | undefined;
    const shown = (): string => JSON.stringify(last);
    {
      const churnPerSecond = clients / lifetimeS;
      await using crowd = Crowd.start({
        url: gateway.url,
        token: mint(),
        clients,
        events: ["GPU_UPDATE"],
        churnPerSecond,
      });
      const opened = async (): Promise<true | undefined> => {
        last = await crowd.report();
        return last.opened >= clients || undefined;
      };
      await eventually("the crowd to be there", opened, openMs, shown);
      const startMs = performance.now();
      const endMs = startMs + minutes * minuteMs;
      for (let nextMs = startMs; performance.now() < endMs; nextMs += sampleMs) {
        await publish(service.url, numberedEvents(eventsPerSecond, published));
        published += eventsPerSecond;
        const minute = (performance.now() - startMs) / minuteMs;
        await Promise.all(idle.map((watched) => watched.look(minute)));
        await pause(Math.max(0, nextMs + sampleMs - performance.now()));
      }
      last = await crowd.report();
      process.stdout.write(
        `${minutes} min, ${last.opened} clients in turn, ${published} events to each of ${clients}\n` +
          idle.map(({ story }) => `${story}\n`).join(""),
      );
      const { wrongs, wrong, gaps } = last;
      expect({ wrongs, wrong, gaps }).toEqual({ wrongs: 0, wrong: [], gaps: 0 });
      expect(last.opened, "clients came and went").toBeGreaterThan(clients);
    }
    for (const [index, watched] of idle.entries()) {
      const most = (descriptorsBefore[index] as number) + spareDescriptors;
      const isBack = (): true | undefined => watched.descriptors <= most || undefined;
      const now = (): string => `${watched.descriptors}`;
      await eventually(`the ${watched.name} to have at most ${most} descriptors`, isBack, 30_000, now);
      if (minutes >= minutesForSlope) expect(watched.slope, `MiB/h, ${watched.name}`).toBeLessThan(slopeMax);
    }
  },
);
