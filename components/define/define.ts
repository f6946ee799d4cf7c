/** Registers an element. Doing it twice is harmless: a page may load one of our files and a bundle that has it, too. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
