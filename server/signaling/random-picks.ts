/** Gives a number from 0 to 1, 1 excluded, like `Math.random`. */
export type Random = () => number;

/** So many items for each that is picked are few: a copy of them costs less than to note which were drawn. */
const FEW_PER_PICK = 4;
/** Draws of one sample: of more than few items, half of which may be out, they fall short of a dozen once in 10^19 times. */
const MOST_DRAWS = 256;

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
   * Up to `count` items picked at random, each once and none that is out: for the dozen that each join takes. Of few items it looks at all, if need be;
   * of many hardly any is drawn twice. @param draws the most that are made
   */
  sample(count: number, random: Random, isOut: (item: T) => boolean, draws = MOST_DRAWS): T[] {
    const picked: T[] = [];
    const areFew = this.#items.length <= FEW_PER_PICK * count;
    const items = areFew ? [...this.#items] : this.#items;
    let left = items.length;
    for (let drawn = 0; drawn < draws && left > 0 && picked.length < count; drawn++) {
      const index = Math.min(left - 1, Math.floor(random() * left));
      const item = items[index];
      const last = items[left - 1];
      if (item === undefined || last === undefined) break;
      if (areFew) {
        items[index] = last;
        left--;
      } else if (picked.includes(item)) continue;
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
