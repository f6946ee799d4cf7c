/**
 * The classroom: viewers in network namespaces of their own, on one fast LAN behind one slow line to the origin. Every system is measured
 * in the same way: bytes by the interface counters and the origin's access log, start and stalls by one gauge in the page.
 *
 * npm run bench -- classroom [run] --system p2p-elements --viewers 6 --uplink 8 --json out.json
 * npm run bench -- classroom matrix --runs 3
 * npm run bench -- classroom --help
 */
import { classroomCommand } from './classroom/command.ts';

try {
  await classroomCommand().parseAsync();
  process.exit(process.exitCode ?? 0); // browsers and origins are gone or killed by now; nothing is worth waiting for
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
