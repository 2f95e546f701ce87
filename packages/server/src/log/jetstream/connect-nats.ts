// The one connection of a node to NATS.
import { readFile } from "node:fs/promises";
import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import type { Settings } from "@sluice/runtime";
import { LogError } from "../event-log.js";

/** A server that does not answer a connection attempt within this is passed over, ms. */
const connectMs = 3000;
/** Between two attempts at the same server, ms. */
const reconnectMs = 250;
/** The client's own look at the connection, ms, and how many may go unanswered. */
const pingMs = 2000;
const pingsOutMax = 2;

/**
 * Connects to one of `nats.servers`, and again whenever the connection is lost.
 * @param name what the servers' logs and monitoring call the node
 * @throws {LogError} `LOG_UNREACHABLE` where none of them lets it in
 */
export async function connectNats(settings: Settings["nats"], name: string): Promise<NatsConnection> {
  const options: NodeConnectionOptions = {
    name,
    servers: [...settings.servers],
    timeout: connectMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectMs,
    reconnectJitter: reconnectMs,
    pingInterval: pingMs,
    maxPingOut: pingsOutMax,
    ignoreAuthErrorAbort: true,
    ...(await credentialsOf(settings)),
    ...(await tlsOf(settings)),
  };
  try {
    return await connect(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LogError("LOG_UNREACHABLE", `none of nats.servers lets us in: ${why}`, { cause });
  }
}

async function credentialsOf(settings: Settings["nats"]): Promise<Partial<NodeConnectionOptions>> {
  const { credentials_file: file, user, password, token } = settings;
  if (file !== null) return { authenticator: credsAuthenticator(await readFile(file)) };
  if (token !== null) return { token };
  return user === null ? {} : { user, ...(password === null ? {} : { pass: password }) };
}

async function tlsOf({ tls }: Settings["nats"]): Promise<Partial<NodeConnectionOptions>> {
  if (!tls.enabled) return {};
  const { ca_file: caFile, cert_file: certFile, key_file: keyFile } = tls;
  const [ca, cert, key] = await Promise.all(
    [caFile, certFile, keyFile].map(async (file) => (file === null ? undefined : readFile(file, "utf8"))),
  );
  return {
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}
