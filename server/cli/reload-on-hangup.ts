/** SIGHUP: what can change while the server runs is read again. All of it or, where something is wrong, nothing. */
import type { Logger } from '../log.ts';
import { RENEW_PEER_MS, RENEW_SPREAD_MS } from '../limits.ts';
import type { P2PServer, ServerOptions } from '../create-server.ts';
import type { OperationFlags } from './operation-flags.ts';

/** Of these a change counts at once. */
const AT_RUN_TIME: readonly string[] = ['mesh', 'holdout', 'logLevel', 'drainSeconds', 'tlsCert', 'tlsKey'];

export interface ReloadPorts<F extends OperationFlags> {
  readonly server: P2PServer;
  readonly log: Logger;
  /** The flags as they were at start. */
  readonly flags: F;
  /** The flags as they are now. @throws where something is wrong */
  readonly read: () => F;
  /** Certificate and key as they are now. @throws where they can't be read */
  readonly readTLS: (flags: F) => ServerOptions['tls'];
}

/** @returns the flags that count now */
export function reloadOnHangup<F extends OperationFlags>(ports: ReloadPorts<F>): () => F {
  const { server, log, read, readTLS } = ports;
  let current = ports.flags;
  process.on('SIGHUP', () => {
    try {
      const next = read();
      const tls = readTLS(next);
      if (tls !== undefined) server.setTLS(tls); // throws before anything has changed
      log.level = next.logLevel;
      turn(server, next);
      const late = changed(ports.flags, next);
      current = next;
      if (late.length > 0) log.warn({ flags: late }, 'these flags count from the next start on');
      log.info({ mesh: next.mesh, holdout: next.holdout, tls: tls !== undefined }, 'reloaded');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ reason }, 'not reloaded: all stays as it was');
    }
  });
  return () => current;
}

/** Running meshes hear of the switch by being asked to join again, spread over time. */
function turn(server: P2PServer, { mesh, holdout }: OperationFlags): void {
  const { meshSwitch } = server;
  const isTurned = meshSwitch.mesh !== mesh;
  meshSwitch.mesh = mesh;
  meshSwitch.holdout = holdout;
  if (!isTurned) return;
  const { signaling } = server;
  const spread = Math.min(RENEW_SPREAD_MS, RENEW_PEER_MS * signaling.connections);
  void signaling.renew(spread, new AbortController().signal);
}

/** Flags that changed and can't while the server runs, as they are written. */
const changed = (before: object, now: object): string[] =>
  Object.keys({ ...before, ...now })
    .filter((name) => !AT_RUN_TIME.includes(name) && shown(before, name) !== shown(now, name))
    .map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);

const shown = (flags: object, name: string): string => {
  const value = (flags as Readonly<Record<string, unknown>>)[name];
  return JSON.stringify({ value: value instanceof Object && 'rules' in value ? value.rules : value });
};
