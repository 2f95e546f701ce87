// What `sluice start` tells: what runs, where, and what to paste into another shell.
import type { Paint } from "../terminal/paint.js";

/** What the text is made of. */
export interface StartFacts {
  /** Of the gateway: the door that callers use. */
  readonly url: string;
  /** Of the streaming service behind it. */
  readonly serviceUrl: string;
  /** Of the example page, with its key. */
  readonly pageUrl: string;
  /** Where the log is, for people; undefined when it is in memory. */
  readonly logDir: string | undefined;
  /** How often the demo publishes, ms; undefined when it doesn't. */
  readonly demoIntervalMs: number | undefined;
  /** Undefined when tokens are somebody else's to make. */
  readonly token: string | undefined;
  /** In words: `24 h`. */
  readonly tokenLife: string;
  /** Whether no token is asked for. */
  readonly isOpen: boolean;
  /** The port that was taken, where another had to be found. */
  readonly takenPort: number | undefined;
  /** How this program is called from the working directory: `npx sluice`. */
  readonly program: string;
}

const ruleLength = 78;

/** The text, with its line ends. Commands stand on lines of their own, without anything around them. */
export function startText(facts: StartFacts, paint: Paint): string {
  const { url, serviceUrl, pageUrl, logDir, demoIntervalMs, token, tokenLife, isOpen, takenPort, program } = facts;
  const rule = paint.good("━".repeat(ruleLength));
  const field = (name: string, value: string): string => `  ${paint.dim(name.padEnd(8))} ${value}`;
  const command = (text: string): string => paint.bold(text);
  const bearer = token ?? "$SLUICE_TOKEN";
  const tokenOption = isOpen ? "" : ` --token ${bearer}`;
  // A shell puts a variable's value in double quotes only.
  const quote = token === undefined ? '"' : "'";
  const header = isOpen ? "" : `-H ${quote}Authorization: Bearer ${bearer}${quote} `;
  const body = `{"event_type":"ALERT_FIRED","cluster_id":"local","payload":{"message":"hello"}}`;

  const runs = [field("gateway", paint.bold(url))];
  if (takenPort !== undefined)
    runs.push(field("", `port ${takenPort} is taken by another program, so this one is used`));
  runs.push(field("service", serviceUrl));
  runs.push(field("events", logDir === undefined ? "in memory only" : `${logDir} (kept over restarts)`));
  if (demoIntervalMs !== undefined) {
    runs.push(
      field("demo", `this machine's load, as METRIC_UPDATE of cluster local, every ${demoIntervalMs / 1_000} s`),
    );
  }
  runs.push(field("token", tokenText(isOpen, token, tokenLife)));

  return [
    "",
    rule,
    `  ${paint.bold("Sluice is running")}`,
    "",
    ...runs,
    ...(token === undefined ? [] : ["", token]),
    "",
    paint.dim("  See the events in a browser on this machine (the address carries a key: keep it to yourself):"),
    "",
    command(pageUrl),
    "",
    paint.dim("  Or in another shell, from this directory:"),
    "",
    command(`${program} tail --url ${url}${tokenOption}`),
    "",
    paint.dim("  Publish one:"),
    "",
    command(`curl -sS ${header}-H 'Content-Type: application/json' -d '${body}' ${url}/api/v1/events`),
    "",
    paint.dim("  Ctrl-C ends it."),
    rule,
    "",
    "",
  ].join("\n");
}

function tokenText(isOpen: boolean, token: string | undefined, life: string): string {
  if (isOpen) return "none is asked for (auth.dev)";
  if (token === undefined) return "from your identity provider; put it into SLUICE_TOKEN";
  return `valid for ${life}, may subscribe, publish and administer:`;
}
