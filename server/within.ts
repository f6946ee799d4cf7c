/**
 * Waits for some work, but no longer than `milliseconds`. The work goes on either way.
 * @returns whether it was done in time
 * @throws what the work throws while we wait; later errors are left to whoever else waits for the same work
 */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
