// Runs the test files that P2P_FILES names, one a line, in this process.
import { ROOT } from './run.mjs';

for (const file of process.env.P2P_FILES.split('\n')) await import(ROOT + file);
