export { authFailure, authFailures, type AuthFailure, type AuthFailureReason } from "./auth-failures.js";
export { createAuthenticator, type AuthenticatorOptions, type ConfiguredAuthenticator } from "./authenticator.js";
export { AuthSettingsError, type AuthenticatorSettings } from "./authenticator-settings.js";
export { challengeFor, scopeChallenge, type Challenge, type ChallengeSite } from "./challenge.js";
export {
  findToken,
  offeredSubprotocols,
  selectSubprotocol,
  type FindTokenOptions,
  type FoundToken,
  type TokenPlace,
} from "./find-token.js";
export { identify, type IdentifyOptions } from "./identify.js";
export { neverExpiresMs, type Authenticator, type AuthOutcome, type Identity } from "./identity.js";
export { mintToken, type MintTokenOptions } from "./mint-token.js";
export {
  allRights,
  mayPublish,
  mayPublishAnything,
  mayReceive,
  maySubscribe,
  visibleClusters,
  type Grant,
  type Rights,
} from "./rights.js";
export { adminScope, publishScope, type MappingEntry } from "./rights-from-claims.js";
export { TicketStore, type TicketOutcome, type TicketStoreOptions } from "./tickets.js";
