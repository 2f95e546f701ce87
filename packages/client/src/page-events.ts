// What a browser tells of its network and of the page; nothing elsewhere.

interface Target {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

export interface PagePorts {
  /** The network or the page is back, or has just gone: it is time to look. */
  readonly onDoubt: () => void;
  /** The page may not be heard of again. */
  readonly onHide: () => void;
}

/** Listens until the returned function is called. */
export function watchPage({ onDoubt, onHide }: PagePorts): () => void {
  const { window, document } = globalThis as { window?: Target; document?: Target & { visibilityState?: string } };
  const watched: [Target | undefined, string, () => void][] = [
    [window, "online", onDoubt],
    [window, "offline", onDoubt],
    [window, "pageshow", onDoubt],
    [window, "pagehide", onHide],
    [document, "visibilitychange", () => (document?.visibilityState === "hidden" ? onHide() : onDoubt())],
  ];
  for (const [target, type, listener] of watched) target?.addEventListener(type, listener);
  return () => {
    for (const [target, type, listener] of watched) target?.removeEventListener(type, listener);
  };
}
