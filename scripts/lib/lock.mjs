// One process at a time: a file with the owner's pid. A lock whose owner is gone is taken over.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export async function withLock(path, action) {
  mkdirSync(dirname(path), { recursive: true });
  while (!take(path)) {
    if (!isAlive(readOwner(path))) rmSync(path, { force: true });
    else await delay(200);
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function readOwner(path) {
  try {
    return Number(readFileSync(path, 'utf8')) || process.pid; // still empty: it is being written
  } catch {
    return process.pid;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
