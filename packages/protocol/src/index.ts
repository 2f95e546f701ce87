export * from "./close-codes.js";
export * from "./error-codes.js";
export * from "./names.js";
export * from "./policies.js";
