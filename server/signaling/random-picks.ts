/** Gives a number from 0 to 1, 1 excluded, like `Math.random`. */
export type Random = () => number;

/** A set that can be picked from at random in O(1): an array, and where each item is in it. */
export class PickableSet<T> {
  readonly #items: T[] = [];
  readonly #indices = new Map<T, number>();

  get size(): number {
    return this.#items.length;
  }

  has(item: T): boolean {
    return this.#indices.has(item);
  }

  add(item: T): void {
    if (this.#indices.has(item)) return;
    this.#indices.set(item, this.#items.length);
    this.#items.push(item);
  }

  /** The last item takes the place of the one that leaves. */
  delete(item: T): boolean {
    const index = this.#indices.get(item);
    if (index === undefined) return false;
    this.#indices.delete(item);
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[index] = last;
      this.#indices.set(last, index);
    }
    return true;
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
