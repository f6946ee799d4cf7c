/** Gives a number from 0 to 1, 1 excluded, like `Math.random`. */
export type Random = () => number;

/** A list that can be picked from at random, and whose items leave it, in O(1). Whoever fills it keeps each item's place. */
export class PickableList<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** @returns its place */
  add(item: T): number {
    return this.#items.push(item) - 1;
  }

  /** The last item takes the place of the one that leaves. @returns that one, if it is another */
  deleteAt(place: number): T | undefined {
    const last = this.#items.pop();
    if (last === undefined || place === this.#items.length) return undefined;
    this.#items[place] = last;
    return last;
  }

  /**
   * Up to `count` items picked at random, each once and none that is out. The same draws as shuffled(), without its map and generator: for the
   * dozen of them that each join takes. @param draws the most that are made
   */
  sample(count: number, random: Random, isOut: (item: T) => boolean, draws = Infinity): T[] {
    const picked: T[] = [];
    const places: number[] = [];
    const moved: T[] = [];
    let left = this.#items.length;
    for (let drawn = 0; drawn < draws && left > 0 && picked.length < count; drawn++, left--) {
      const index = Math.min(left - 1, Math.floor(random() * left));
      const place = places.indexOf(index);
      const lastPlace = places.indexOf(left - 1);
      const item = place < 0 ? this.#items[index] : moved[place];
      const last = lastPlace < 0 ? this.#items[left - 1] : moved[lastPlace];
      if (item === undefined || last === undefined) break;
      if (place < 0) {
        places.push(index);
        moved.push(last);
      } else moved[place] = last;
      if (!isOut(item)) picked.push(item);
    }
    return picked;
  }

  /** All items in random order, each once; O(1) for each one that is taken (a Fisher-Yates shuffle that only notes what it moved). */
  *shuffled(random: Random): Generator<T, void, undefined> {
    const moved = new Map<number, T>();
    const at = (index: number): T | undefined => moved.get(index) ?? this.#items[index];
    for (let left = this.#items.length; left > 0; left--) {
      const index = Math.min(left - 1, Math.floor(random() * left));
      const item = at(index);
      const last = at(left - 1);
      if (item === undefined || last === undefined) return;
      moved.set(index, last);
      yield item;
    }
  }
}
