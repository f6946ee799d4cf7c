// Browser tests: *.browser.test.ts in the Chromium that CHROME_PATH names (scripts/test.mjs finds one), sources compiled on the way.
import { fileURLToPath } from 'node:url';
import { esbuildPlugin } from '@web/dev-server-esbuild';
import { chromeLauncher } from '@web/test-runner-chrome';
import { countingReporter } from './scripts/lib/browser-reporter.mjs';
import { AWAKE_FLAGS, CHROMIUM_FLAGS } from './scripts/lib/chromium-flags.mjs';

export default {
  files: process.env.P2P_FILES?.split('\n') ?? 'test/**/*.browser.test.ts',
  nodeResolve: { browser: true, exportConditions: ['production', 'browser', 'default', 'module', 'import'] },
  plugins: [
    esbuildPlugin({
      ts: true,
      json: true,
      target: 'es2022',
      tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
    }),
  ],
  browsers: [
    chromeLauncher({
      concurrency: 1,
      launchOptions: {
        executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
        args: [...CHROMIUM_FLAGS, ...AWAKE_FLAGS],
      },
    }),
  ],
  reporters: [countingReporter()],
  testFramework: { config: { timeout: 20_000, ...(process.env.P2P_MATCH && { grep: process.env.P2P_MATCH }) } },
  testsFinishTimeout: 90_000,
};
