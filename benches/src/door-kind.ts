// The doors that are compared, and what each tells of itself.

export type DoorKind = "sluice" | "http-proxy-3" | "fastify" | "nginx";

/** How one is started. */
export interface DoorOptions {
  readonly kind: DoorKind;
  readonly backendPort: number;
  readonly core: number;
}

/** What a door tells: where it is, whom to call, what it weighs. */
export interface DoorReport {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly rssBytes: number;
  readonly cpuMs: number;
}

/** nginx's program; it is left out where there is none. */
export const nginxProgram = process.env["NGINX_PROGRAM"] ?? "nginx";
