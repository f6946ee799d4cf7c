/** The service worker that can pass messages on between tabs; null: none is there, not yet, or not for this page. */
export async function activeWorker(): Promise<ServiceWorker | null> {
  // Typed as always there, but missing on plain HTTP.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  try {
    return container?.controller ?? (await container?.getRegistration())?.active ?? null;
  } catch {
    return null; // The browser keeps nothing of this site.
  }
}
