/** The service worker that can pass messages on between tabs; null: none is there, or not yet. */
export async function activeWorker(): Promise<ServiceWorker | null> {
  // Typed as always there, but missing on plain HTTP.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  return container?.controller ?? (await container?.getRegistration())?.active ?? null;
}
