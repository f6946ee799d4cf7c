/**
 * Makes a custom element that wraps a native one a drop-in for it: the native element's properties, methods and attributes on the host.
 * The list is not written by hand: it is what the browser's own prototypes have.
 */

/** A custom element around a native one. */
export interface NativeHost<Native extends HTMLElement> extends HTMLElement {
  readonly nativeEl: Native;
}

/** Properties whose attribute has another name than the property in lower case. */
const ATTRIBUTE_OF: Readonly<Record<string, string>> = { defaultmuted: 'muted' };

/**
 * Defines on `host` what `natives` have and `host` itself does not define.
 * A property that reflects to one of the `forwarded` attributes is reflected on the host as well.
 */
export function mirrorNative<Native extends HTMLElement>(
  host: { readonly prototype: NativeHost<Native> },
  natives: readonly object[],
  forwarded: readonly string[],
): void {
  for (const native of natives) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(native))) {
      if (name === 'constructor' || Object.hasOwn(host.prototype, name)) continue;
      Object.defineProperty(host.prototype, name, mirrored(native, name, descriptor, forwarded));
    }
  }
}

/** The property `name` of the prototype `native`, as the host has it. */
function mirrored(
  native: object,
  name: string,
  descriptor: PropertyDescriptor,
  forwarded: readonly string[],
): PropertyDescriptor {
  const value: unknown = descriptor.value;
  if (typeof value === 'function') {
    return {
      ...descriptor,
      value: function (this: NativeHost<HTMLElement>, ...args: unknown[]): unknown {
        return Reflect.apply(value, this.nativeEl, args);
      },
    };
  }
  if ('value' in descriptor) return descriptor;
  const attribute = ATTRIBUTE_OF[name.toLowerCase()] ?? name.toLowerCase();
  const reflects = forwarded.includes(attribute);
  return {
    configurable: true,
    enumerable: true,
    get(this: NativeHost<HTMLElement>): unknown {
      return Reflect.get(native, name, this.nativeEl);
    },
    ...(descriptor.set !== undefined && {
      set(this: NativeHost<HTMLElement>, next: unknown): void {
        Reflect.set(native, name, next, this.nativeEl);
        if (reflects) setAttribute(this, attribute, this.nativeEl.getAttribute(attribute));
      },
    }),
  };
}

/** Sets or (null) removes an attribute, and leaves alone what is so already. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/** Properties that were set before the element was upgraded hide the accessors: takes them out and sets them again. */
export function upgradeProperties(host: HTMLElement): void {
  const own = host as unknown as Record<string, unknown>;
  for (const name of Object.keys(own)) {
    if (!(name in Object.getPrototypeOf(host))) continue;
    const value = own[name];
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- this is how one uncovers an accessor
    delete own[name];
    own[name] = value;
  }
}

/**
 * The host is laid out as the native element would be: it shrinks to the native element's size, and the native element fills a host that
 * the page has sized. `object-fit` of the host counts.
 */
export const NATIVE_SIZE = `
:host { display: inline-block; line-height: 0 }
:host([hidden]) { display: none }
[part] {
box-sizing: border-box;
min-width: 100%;
max-width: 100%;
min-height: 100%;
object-fit: inherit;
object-position: inherit;
border-radius: inherit;
}`;

/** `NATIVE_SIZE` as a style sheet to adopt, which a strict CSP lets pass where a <style> element is stopped. */
export function nativeSizeSheet(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(NATIVE_SIZE);
  return sheet;
}

/**
 * `width` and `height` attributes give a native element its size and, when CSS narrows it, its shape. Inside a shadow root a percentage
 * `max-width` would keep the height as it is, so the shape is said explicitly.
 */
export function keepShape(native: HTMLElement): void {
  const width = Number(native.getAttribute('width'));
  const height = Number(native.getAttribute('height'));
  const known = width > 0 && height > 0;
  native.style.aspectRatio = known ? `${width} / ${height}` : '';
  native.style.height = known ? 'auto' : '';
}
