// What happens to a consumer that falls behind (protocol §5).

/** In the order of the documentation; `drop-oldest` is the default. */
export const policies = ["drop-oldest", "drop-newest", "replay", "disconnect"] as const;

export type Policy = (typeof policies)[number];

export function isPolicy(value: unknown): value is Policy {
  return (policies as readonly unknown[]).includes(value);
}
