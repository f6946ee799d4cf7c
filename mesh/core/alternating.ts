/** Both lists as one, in their orders: `ratio` of the first to one of the second, and what is left of the longer at the end. */
export function alternating<T>(first: readonly T[], second: readonly T[], ratio: number): readonly T[] {
  const place = (index: number, share: number): number => (index + 0.5) / share;
  return [
    ...first.map((item, index) => ({ item, at: place(index, ratio) })),
    ...second.map((item, index) => ({ item, at: place(index, 1) })),
  ]
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
