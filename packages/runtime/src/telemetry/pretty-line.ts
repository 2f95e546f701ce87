// A log line for people in place of JSON. Everything in it is escaped, so no value can write to the terminal by itself.

type Fields = Readonly<Record<string, unknown>>;

const levelWidth = 5;
const reset = "\u001b[0m";
const colours: Readonly<Record<string, string>> = {
  fatal: "\u001b[41m",
  error: "\u001b[31m",
  warn: "\u001b[33m",
  info: "\u001b[32m",
};
const dim = "\u001b[2m";
/** Shown in their own places, or of no use to whoever reads along. */
const placed = new Set(["time", "level", "msg", "pid", "service", "err"]);
/** Control characters, with which a terminal is steered. */
const controls = /\p{Cc}/gu;
const plain = /^[^\s"=]+$/;

function escapeControls(text: string): string {
  return text.replace(controls, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

function valueText(value: unknown): string {
  return typeof value === "string" && plain.test(value) ? value : JSON.stringify(value);
}

function stackOf(error: unknown): string[] {
  if (typeof error !== "object" || error === null) return [];
  const fields = error as Fields;
  const text = textOf(fields, "stack") || textOf(fields, "message");
  return [...text.split("\n").map((line) => `    ${escapeControls(line)}`), ...stackOf(fields["cause"])];
}

function parse(json: string): Fields | undefined {
  try {
    const fields: unknown = JSON.parse(json);
    return typeof fields === "object" && fields !== null ? (fields as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * One line of the logger's JSON as `20:13:27.123 INFO  listening url=http://127.0.0.1:8081`, time in UTC; an error's
 * stack follows on lines of its own. What is no JSON object comes back as it is.
 */
export function prettyLine(json: string, isColoured: boolean): string {
  const fields = parse(json);
  if (fields === undefined) return json;
  const paint = (colour: string | undefined, text: string): string =>
    isColoured && colour !== undefined ? colour + text + reset : text;
  const time = textOf(fields, "time").slice("2026-01-01T".length, -"Z".length);
  const level = textOf(fields, "level");
  const rest = Object.entries(fields).filter(([name]) => !placed.has(name));
  const words = [
    paint(dim, time),
    paint(colours[level], level.toUpperCase().padEnd(levelWidth)),
    textOf(fields, "msg"),
    ...rest.map(([name, value]) => `${name}=${valueText(value)}`),
  ];
  const first = words.slice(2).map(escapeControls);
  return `${[[...words.slice(0, 2), ...first].join(" "), ...stackOf(fields["err"])].join("\n")}\n`;
}
