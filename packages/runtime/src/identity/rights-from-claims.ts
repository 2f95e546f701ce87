// From a token's claims to rights (protocol §9): `scope`, `events` and `clusters`, and the configured mapping of
// groups and roles. A claim of ours that is malformed refuses the token; it is never read as "no restriction".
import { isPattern } from "@sluice/protocol";
import { readClaim, type Claims } from "./claims.js";
import type { Grant, Rights } from "./rights.js";

/** Scope that allows publishing. */
export const publishScope = "events:publish";

/** Scope that allows the admin interface. */
export const adminScope = "admin";

/**
 * What members of a group or holders of a role may do. With both `group` and `role` a token needs both. `events` without
 * `clusters` is in all clusters, `clusters` without `events` is all events in them; an entry with neither adds its
 * `scope` to what the token has otherwise.
 */
export interface MappingEntry {
  readonly group?: string | undefined;
  readonly role?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly clusters?: readonly string[] | undefined;
  /** Space-separated, as the `scope` claim. */
  readonly scope?: string | undefined;
}

/** How claims become rights. */
export interface RightsRules {
  /** Claim with a list of groups: its name, or a path with dots (`realm_access.groups`). */
  readonly groupsClaim: string;
  /** Claim with a list of roles: its name, or a path with dots. */
  readonly rolesClaim: string;
  /** Empty = no mapping: a token without `events` and `clusters` may then subscribe to everything. */
  readonly mapping: readonly MappingEntry[];
}

/** The rights that `claims` give, or undefined when one of the claims read here is malformed. */
export function rightsFromClaims(claims: Claims, rules: RightsRules): Rights | undefined {
  const scopes = scopesOf(claims);
  const events = patternsOf(claims, "events");
  const clusters = patternsOf(claims, "clusters");
  const groups = rules.mapping.length === 0 ? [] : namesOf(claims, rules.groupsClaim);
  const roles = rules.mapping.length === 0 ? [] : namesOf(claims, rules.rolesClaim);
  if (scopes === undefined || events === undefined || clusters === undefined) return undefined;
  if (groups === undefined || roles === undefined) return undefined;

  const matching = rules.mapping.filter((entry) => applies(entry, groups, roles));
  for (const entry of matching) if (!grantsEvents(entry)) scopes.push(...scopeWords(entry.scope));

  const grants: Grant[] = [];
  if (events !== null || clusters !== null || rules.mapping.length === 0) {
    grants.push({ events, clusters, publish: scopes.includes(publishScope) });
  }
  for (const entry of matching) if (grantsEvents(entry)) grants.push(grantOf(entry, scopes));

  const admin = scopes.includes(adminScope) || matching.some((entry) => scopeWords(entry.scope).includes(adminScope));
  const [first = nothing, ...alternatives] = grants;
  return alternatives.length === 0 ? { ...first, admin } : { ...first, admin, alternatives };
}

/** What is wrong with a mapping, in a sentence for whoever configured it; undefined when nothing is. */
export function mappingFault(mapping: readonly MappingEntry[]): string | undefined {
  for (const [index, entry] of mapping.entries()) {
    if (!entry.group && !entry.role) return `mapping[${index}] needs a group or a role`;
    const bad = [...(entry.events ?? []), ...(entry.clusters ?? [])].find((pattern) => !isPattern(pattern));
    if (bad !== undefined) return `mapping[${index}] has ${JSON.stringify(bad)}, which is no name or pattern`;
  }
  return undefined;
}

const nothing: Grant = { events: [], clusters: [], publish: false };

function applies(entry: MappingEntry, groups: readonly string[], roles: readonly string[]): boolean {
  if (entry.group === undefined && entry.role === undefined) return false;
  if (entry.group !== undefined && !groups.includes(entry.group)) return false;
  return entry.role === undefined || roles.includes(entry.role);
}

function grantsEvents(entry: MappingEntry): boolean {
  return entry.events !== undefined || entry.clusters !== undefined;
}

function grantOf(entry: MappingEntry, scopes: readonly string[]): Grant {
  const publish = scopes.includes(publishScope) || scopeWords(entry.scope).includes(publishScope);
  return { events: entry.events ?? null, clusters: entry.clusters ?? null, publish };
}

/** `scope` (RFC 8693 §4.2), or `scp` as some issuers write it: a string or a list. Absent = none, malformed = undefined. */
function scopesOf(claims: Claims): string[] | undefined {
  const value = readClaim(claims, Object.hasOwn(claims, "scope") ? "scope" : "scp");
  if (value === undefined) return [];
  if (typeof value === "string") return scopeWords(value);
  return isStringList(value) ? value.flatMap(scopeWords) : undefined;
}

function scopeWords(scope: string | undefined): string[] {
  return scope === undefined ? [] : scope.split(" ").filter((word) => word !== "");
}

/** A list of names or patterns; null = no such claim, undefined = malformed. */
function patternsOf(claims: Claims, name: string): readonly string[] | null | undefined {
  const value = readClaim(claims, name);
  if (value === undefined) return null;
  return Array.isArray(value) && value.every(isPattern) ? value : undefined;
}

/** A list of strings, or one; empty = no such claim, undefined = malformed. */
function namesOf(claims: Claims, path: string): readonly string[] | undefined {
  const value = readClaimPath(claims, path);
  if (value === undefined) return [];
  if (typeof value === "string") return [value];
  return isStringList(value) ? value : undefined;
}

/** The claim of that very name (names may hold dots: `https://example.com/groups`), else the one at that path. */
function readClaimPath(claims: Claims, path: string): unknown {
  const whole = readClaim(claims, path);
  if (whole !== undefined) return whole;
  let value: unknown = claims;
  for (const step of path.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = readClaim(value as Claims, step);
  }
  return value;
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
