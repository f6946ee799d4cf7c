// npm start [-- FLAGS]: builds if a source has changed, then runs `p2p-elements serve FLAGS`.
import { spawn } from 'node:child_process';
import { ROOT, run } from './lib/run.mjs';

const { code } = await run(process.execPath, ['scripts/build.mjs']);
if (code !== 0) process.exit(code);

const server = spawn(process.execPath, [`${ROOT}dist/cli.js`, 'serve', ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => server.kill(signal));
server.on('exit', (exitCode, signal) => {
  process.exitCode = exitCode ?? (signal === null ? 1 : 128);
});
