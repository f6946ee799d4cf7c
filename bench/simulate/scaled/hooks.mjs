// Module hooks: whoever imports the product's limits gets the scaled ones.
const scaled = new Map(
  [
    ['protocol/limits.ts', 'protocol-limits.ts'],
    ['mesh/core/limits.ts', 'mesh-limits.ts'],
  ].map(([real, instead]) => [
    new URL(`../../../${real}`, import.meta.url).pathname,
    new URL(instead, import.meta.url).href,
  ]),
);

export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  const url = scaled.get(new URL(resolved.url).pathname);
  const isScaledItself =
    context.parentURL !== undefined && [...scaled.values()].includes(context.parentURL.split('?')[0]);
  return url === undefined || isScaledItself ? resolved : { ...resolved, url };
}
