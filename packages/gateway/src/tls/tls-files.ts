// The certificate and its key, from files that may be replaced while the gateway runs.
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Oldest version that is spoken (RFC 9325 §3.1.1). */
const minVersion = "TLSv1.2";

/**
 * Reads both, and tries whether they go together.
 * @throws {Error} naming the settings, when a file can't be read or the two are no pair.
 */
export function readTlsFiles({ certFile, keyFile }: TlsFiles): SecureContextOptions {
  try {
    const options: SecureContextOptions = { cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion };
    createSecureContext(options);
    return options;
  } catch (cause) {
    throw new Error("gateway.tls.cert_file and gateway.tls.key_file can't be used", { cause });
  }
}
