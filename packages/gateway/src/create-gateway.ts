// Puts the rooms together: one gateway, from its settings to its listening ports and back to nothing.
import {
  type AuthFailureReason,
  type Clock,
  createAuthenticator,
  createHttpAuth,
  type FoundToken,
  type Logger,
  type Settings,
  systemClock,
  TicketStore,
  type TokenBucketOptions,
} from "@sluice/runtime";
import { AddressRates } from "./admission/address-rates.js";
import { type Caller, findCaller } from "./admission/callers.js";
import { doorRulesOf } from "./admission/door-rules.js";
import { onwardAuthorization, type OnwardIdentityOptions } from "./admission/onward-identity.js";
import { type PlaceLimits, Places } from "./admission/places.js";
import type { Backend } from "./backends/backend.js";
import { BackendPool } from "./backends/backend-pool.js";
import { HealthChecks } from "./backends/health-checks.js";
import { changedSettings } from "./changed-settings.js";
import { createGatewayMetrics } from "./gateway-metrics.js";
import { GatewayTally } from "./gateway-tally.js";
import { createGatewayHttp } from "./http/create-gateway-http.js";
import { EveryBackend } from "./http/every-backend.js";
import { HttpProxy } from "./http/http-proxy.js";
import { registerJoinedRoutes } from "./http/joined-routes.js";
import { registerOpsRoutes } from "./http/ops-routes.js";
import { registerOwnRoutes } from "./http/own-routes.js";
import { WatchedFiles } from "./tls/watched-files.js";
import { tunnelBoundsOf } from "./tunnel/tunnel-bound.js";
import { ReturnSchedule } from "./tunnel/return-schedule.js";
import { Tunnels } from "./tunnel/tunnels.js";
import { WebSocketProxy } from "./websocket-proxy.js";

/** How often the files of the certificate are looked at, ms. */
const tlsLookMs = 1_000;
/** How often a drain looks whether requests are done, ms. */
const drainLookMs = 20;

/** A running gateway. */
export interface SluiceGateway {
  /** Where it listens, with the real port: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The same for health and metrics; equal to `url` without a listener of their own. */
  readonly opsUrl: string;
  /**
   * Takes over upstreams, origins, hosts, trusted proxies, limits and the bounds of new tunnels, and reads the TLS files
   * again. Living tunnels are not touched; the names of other settings that differ are logged, they wait for a restart.
   */
  reload(settings: Settings): void;
  /**
   * Ends gracefully: not ready, nobody new, tunnels closed with 1012 spread over `gateway.drain_ms`, requests done.
   * Takes at most that and a little.
   */
  drain(): Promise<void>;
  /** Ends it at once: sockets are cut. */
  close(): Promise<void>;
}

export interface CreateGatewayOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Starts a gateway; it listens when this resolves.
 * @throws {AuthSettingsError} when nobody could authenticate; {Error} when the TLS files can't be used; Node's errors
 *   (`EADDRINUSE`, `EACCES`) when a port can't be taken.
 */
export async function createGateway(options: CreateGatewayOptions): Promise<SluiceGateway> {
  const { settings, logger, clock = systemClock } = options;
  const { gateway, auth } = settings;
  const tally = new GatewayTally();
  const returns = new ReturnSchedule({ perSecond: gateway.limits.returns_per_second, clock });
  const tunnels = new Tunnels({
    clock,
    returns,
    tally,
    bounds: tunnelBoundsOf(settings),
    onEvent: (event, details) => {
      if (logger.isLevelEnabled("debug")) logger.debug(details(), `tunnel ${event}`);
    },
  });
  const pool = new BackendPool(clock);
  pool.setList(gateway.upstreams);
  const places = new Places(placeLimitsOf(settings));
  const rates = new AddressRates({ ...rateOf(settings), clock });
  const onFailure = (reason: AuthFailureReason): void => tally.authFailures.add(reason);
  const authenticator = createAuthenticator(auth, {
    clock,
    tokenBytesMax: settings.limits.token_bytes,
    onFailure,
    onTrouble: (trouble) => logger.warn({ trouble }, "the token issuer could not be asked"),
  });
  for (const warning of authenticator.warnings) logger.warn(warning);
  const tickets = new TicketStore<Caller>({ ttlMs: auth.ticket_ttl_ms, clock });
  const callerOf = (found: FoundToken) => findCaller(found, { authenticator, tickets, onFailure });
  const onward = onwardOptions(settings, clock);
  const authorizationFor = (caller: Caller) => onwardAuthorization(caller, onward);
  let current = settings;
  let rules = doorRulesOf(settings);
  const onBackendFailure = (backend: Backend, failure: string): void =>
    logger.warn({ backend: backend.url.host, failure }, "a backend failed");
  const registry = createGatewayMetrics({ tally, tunnels, places, pool });
  let isDraining = false;

  const httpAuth = createHttpAuth<Caller>({ queryToken: auth.query_token, identify: callerOf });
  const httpProxy = new HttpProxy({
    clock,
    pool,
    tally,
    rules: () => rules,
    requireIdentity: httpAuth.requireIdentity,
    authorizationFor,
    bodyBytesMax: settings.limits.publish_body_bytes,
    onBackendFailure,
  });
  const everyBackend = new EveryBackend();
  const http = await createGatewayHttp({
    settings,
    places,
    tally,
    rules: () => rules,
    isDraining: () => isDraining,
    routes: (app) => {
      registerOwnRoutes(app, {
        tickets,
        requireIdentity: httpAuth.requireIdentity,
        requireAdmin: httpAuth.requireAdmin,
        pool,
        tunnels,
        clock,
        onIssued: () => {
          tally.ticketsIssued += 1;
        },
        onDrain: (backend, operator) => {
          logger.info({ backend: backend.url.host, operator }, "a backend is drained");
          void tunnels.sendAway(current.gateway.drain_ms, backend);
        },
      });
      registerJoinedRoutes(app, {
        pool,
        everyBackend,
        requireAdmin: httpAuth.requireAdmin,
        headersFor: (request, caller) => httpProxy.headersFor(request, caller),
        onMissing: onBackendFailure,
      });
      httpProxy.register(app);
    },
    opsRoutes: (app) =>
      registerOpsRoutes(app, { pool, tunnels, clock, isDraining: () => isDraining, metrics: registry }),
  });
  const proxy = new WebSocketProxy({
    clock,
    pool,
    places,
    rates,
    tunnels,
    returns,
    tally,
    rules: () => rules,
    queryToken: auth.query_token,
    findCaller: callerOf,
    authorizationFor,
    isDraining: () => isDraining,
    onBackendFailure,
    onError: (error) => logger.error({ err: error }, "a fault of the gateway"),
  });
  proxy.attach(http.server);
  const health = new HealthChecks({
    pool,
    intervalMs: gateway.health.interval_ms,
    timeoutMs: gateway.health.timeout_ms,
    onChange: (backend, state) => logger.info({ backend: backend.url.host, state }, "a backend's health changed"),
  });
  const reloadTls = (): void => {
    try {
      http.reloadTls();
      logger.info("the TLS files were read again");
    } catch (error) {
      logger.error({ err: error }, "the TLS files can't be used; the old ones stay in use");
    }
  };
  const { cert_file: certFile, key_file: keyFile } = gateway.tls;
  const tlsFiles =
    certFile === null || keyFile === null
      ? undefined
      : new WatchedFiles({ paths: [certFile, keyFile], intervalMs: tlsLookMs, onChange: reloadTls });

  const closeRest = async (): Promise<void> => {
    tlsFiles?.[Symbol.dispose]();
    await health.stop();
    tunnels.destroyAll();
    await http.close();
    await httpProxy.close();
    await everyBackend.close();
    await authenticator.close();
  };
  try {
    await http.listen();
  } catch (error) {
    await closeRest();
    throw error;
  }
  health.start();
  logger.info({ url: http.url, ops_url: http.opsUrl, upstreams: gateway.upstreams }, "listening");

  let ending: Promise<void> | undefined;
  return {
    url: http.url,
    opsUrl: http.opsUrl,
    reload: (changed) => {
      const { applied } = changedSettings(current, changed);
      const { waiting } = changedSettings(settings, changed);
      current = changed;
      rules = doorRulesOf(changed);
      places.setLimits(placeLimitsOf(changed));
      if (applied.some((name) => name.startsWith("gateway.limits.handshake"))) rates.setRate(rateOf(changed));
      tunnels.bounds = tunnelBoundsOf(changed);
      returns.perSecond = changed.gateway.limits.returns_per_second;
      http.setLimits(changed.gateway.limits);
      pool.setList(changed.gateway.upstreams);
      void health.lookAtAll();
      if (tlsFiles !== undefined) reloadTls();
      logger.info({ upstreams: changed.gateway.upstreams, applied }, "the settings were read again");
      if (waiting.length > 0) logger.warn({ settings: waiting }, "these changes wait for a restart");
    },
    drain: () => {
      isDraining = true;
      ending ??= Promise.all([
        tunnels.sendAway(current.gateway.drain_ms),
        requestsDone(places, clock, current.gateway.drain_ms),
      ]).then(closeRest);
      return ending;
    },
    close: () => {
      isDraining = true;
      ending ??= closeRest();
      return ending;
    },
  };
}

function placeLimitsOf({ gateway: { limits } }: Settings): PlaceLimits {
  return {
    total: limits.connections,
    perAddress: limits.connections_per_address,
    perUser: limits.connections_per_user,
  };
}

function rateOf({ gateway: { limits } }: Settings): TokenBucketOptions {
  return { perSecond: limits.handshakes_per_second, burst: limits.handshake_burst };
}

function onwardOptions({ gateway: { identity }, auth }: Settings, clock: Clock): OnwardIdentityOptions {
  if (!identity.exchange || identity.secret === null) return { clock, exchange: null };
  const { secret, ttl_ms: ttlMs } = identity;
  return { clock, exchange: { secret, ttlMs, issuer: auth.issuer, audience: auth.audience[0] } };
}

/** Resolves when nobody has a place any more, or at the end of the drain: a stream of events ends only with it. */
async function requestsDone(places: Places, clock: Clock, drainMs: number): Promise<void> {
  const endMs = clock.now() + drainMs;
  while (places.taken > 0 && clock.now() < endMs) await new Promise((resolve) => setTimeout(resolve, drainLookMs));
}
