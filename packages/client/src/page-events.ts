// What a browser tells of its network and of the page; nothing elsewhere.

export interface PagePorts {
  /** The network or the page is back, or the network has just gone: it is time to look. */
  readonly onDoubt: () => void;
  /** The page may not be heard of again. */
  readonly onHide: () => void;
}

interface Page {
  readonly addEventListener?: (type: string, listener: () => void, options: { readonly signal: AbortSignal }) => void;
  readonly document?: { readonly visibilityState: string };
}

const types: readonly string[] = ["online", "offline", "pageshow", "pagehide", "visibilitychange"];

/** Listens until `signal` is aborted. */
export function watchPage({ onDoubt, onHide }: PagePorts, signal: AbortSignal): void {
  const page = globalThis as Page;
  const look = (): void => (page.document?.visibilityState === "hidden" ? onHide() : onDoubt());
  for (const type of types) page.addEventListener?.(type, look, { signal });
}
