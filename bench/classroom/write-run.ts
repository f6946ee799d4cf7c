import { writeFileSync } from 'node:fs';
import type { Measurement } from './measurement.ts';
import type { Result } from './result.ts';

/** All that was measured, and what was computed from it, as JSON. */
export function writeRun(file: string, measurement: Measurement, result: Result): void {
  const { media, ...rest } = measurement;
  const sizes = Object.fromEntries(media.sizes);
  writeFileSync(file, `${JSON.stringify({ result, ...rest, sizes }, undefined, 1)}\n`);
}
