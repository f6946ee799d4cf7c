/** What is there already, or will be. What is there is used at once: a promise for it would cost a join as much as the directory does. */
export type Awaitable<T> = T | Promise<T>;

/** @returns what `next` makes of the value, now if it is there now; throws or rejects as `next` does, or as the value's promise does */
export const chain = <T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> =>
  value instanceof Promise ? value.then(next) : next(value);

/** Promise.all() for what may be there already. */
export const every = <T>(values: readonly Awaitable<T>[]): Awaitable<T[]> => {
  const there: T[] = [];
  for (const value of values) {
    if (value instanceof Promise) return Promise.all(values);
    there.push(value);
  }
  return there;
};

/** One after the other. @returns when all of it is done */
export function inOrder<T>([item, ...others]: readonly T[], work: (item: T) => Awaitable<unknown>): Awaitable<void> {
  return item === undefined ? undefined : chain(work(item), () => inOrder(others, work));
}

/** So many at a time; each is asked for when its turn comes. @returns when all of it is done */
export async function inBatches<T>(
  items: readonly T[],
  size: number,
  work: (item: T) => Awaitable<unknown>,
): Promise<void> {
  for (let from = 0; from < items.length; from += size) await Promise.all(items.slice(from, from + size).map(work));
}

/** @param failed told of what the work throws, or rejects with */
export function settled(work: () => Awaitable<void>, failed: (error: unknown) => void): Awaitable<void> {
  try {
    const result = work();
    return result instanceof Promise ? result.catch(failed) : result;
  } catch (error) {
    failed(error);
  }
}
