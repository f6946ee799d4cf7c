// npm run lint: types, ESLint, formatting and the layer table. Prints what failed; ends with 1 if anything did.
import { runChecks } from './lib/checks.mjs';

const { failed } = await runChecks();
console.log(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
