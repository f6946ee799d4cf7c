/**
 * The way from any element to the one mesh of the page. Elements upgrade in the order in which they were defined, so whichever comes
 * first sets the mesh up with what `<p2p-mesh>` says, even if that element has not been upgraded yet.
 */
import { mesh, type MeshFace } from '../mesh/index.ts';
import { MESH_ATTRIBUTES, readMeshOptions, type Connection, type MeshAttributes } from './mesh-options.ts';
import { warnOnce } from './warn.ts';

export const TWO_MESHES =
  'The page has more than one <p2p-mesh>, but a browser has one mesh. Keep one; only the first counts.';

let face: MeshFace = mesh;
let configured = false;

/** The page's mesh, configured. */
export function useMesh(): MeshFace {
  if (!configured) {
    configured = true;
    const elements = document.querySelectorAll('p2p-mesh');
    if (elements.length > 1) warnOnce(TWO_MESHES);
    const { options, warnings } = readMeshOptions(attributesOf(elements[0]), connectionOf(navigator));
    for (const warning of warnings) warnOnce(warning);
    face.configure(options);
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

function attributesOf(element: Element | undefined): MeshAttributes {
  const attributes: MeshAttributes = {};
  for (const name of MESH_ATTRIBUTES) {
    const value = element?.getAttribute(name);
    if (typeof value === 'string') attributes[name] = value;
  }
  return attributes;
}

/** The Network Information API is in no standard that TypeScript's DOM types follow. */
const connectionOf = (from: Navigator & { connection?: Connection }): Connection => from.connection ?? {};
