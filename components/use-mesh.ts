/**
 * The way from any element to the one mesh of the page. Elements upgrade in the order in which they were defined, so whichever comes
 * first sets the mesh up with what `<p2p-mesh>` says, even if that element has not been upgraded yet.
 */
import { mesh, type MeshFace, type MeshOptions, warnOnce } from '../mesh/index.ts';

export const TWO_MESHES =
  'The page has more than one <p2p-mesh>, but a browser has one mesh. Keep one; only the first counts.';

let face: MeshFace = mesh;
let configured = false;

/** The page's mesh, configured. */
export function useMesh(): MeshFace {
  if (!configured) {
    configured = true;
    const [element, second] = document.querySelectorAll('p2p-mesh');
    if (second) warnOnce(TWO_MESHES);
    if (element) face.configure(optionsOf(element));
  }
  return face;
}

/** Has some element already configured the mesh? From then on `<p2p-mesh>` is not read again. */
export const isMeshInUse = (): boolean => configured;

/** For tests: puts another mesh in the place of the page's own, or (null) the page's own back. It is configured at its next use. */
export function setMesh(replacement: MeshFace | null): void {
  face = replacement ?? mesh;
  configured = false;
}

/** The code that understands the attributes comes only to pages that have the element. */
async function optionsOf(element: Element): Promise<MeshOptions> {
  const { meshOptionsOf } = await import('./mesh-options.ts');
  const { options, warnings } = meshOptionsOf(element);
  for (const warning of warnings) warnOnce(warning);
  return options;
}
