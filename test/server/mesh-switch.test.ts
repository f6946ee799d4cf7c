import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOTS } from '../../protocol/beacon.ts';
import { MeshSwitch } from '../../server/mesh-switch.ts';
import { newIdentity } from '../../server/signaling/identity.ts';

const peers = (count: number) => Array.from({ length: count }, () => newIdentity().peer);

test('by default everybody takes part', () => {
  const meshSwitch = new MeshSwitch();
  for (const peer of peers(100)) assert.equal(meshSwitch.off({ peer }), undefined);
});

test('about that share of the peers is held out, each always or never', () => {
  const meshSwitch = new MeshSwitch({ holdout: 0.1 });
  const all = peers(10_000);
  const heldOut = all.filter((peer) => meshSwitch.off({ peer }) === 'holdout');
  assert.ok(heldOut.length > 800 && heldOut.length < 1200, `${heldOut.length}`);
  for (const peer of heldOut) assert.equal(meshSwitch.off({ peer }), 'holdout');
  meshSwitch.holdout = 0.2; // the same and others
  for (const peer of heldOut) assert.equal(meshSwitch.off({ peer }), 'holdout');
});

test('a lot decides, whatever the peer id is', () => {
  const meshSwitch = new MeshSwitch({ holdout: 0.01 });
  const lots = Array.from({ length: LOTS }, (_, lot) => lot);
  const heldOut = lots.filter((lot) => meshSwitch.off({ peer: newIdentity().peer, lot }) === 'holdout');
  assert.deepEqual(heldOut, lots.slice(0, LOTS / 100));
});

test('0 holds nobody out, 1 everybody', () => {
  const [peer] = peers(1);
  assert.ok(peer);
  for (const lot of [0, LOTS - 1]) {
    assert.equal(new MeshSwitch({ holdout: 0 }).off({ peer, lot }), undefined);
    assert.equal(new MeshSwitch({ holdout: 1 }).off({ peer, lot }), 'holdout');
  }
});

test('switched off it is off for all, and who is held out stays in its group', () => {
  const meshSwitch = new MeshSwitch({ mesh: false, holdout: 0.5 });
  const [peer] = peers(1);
  assert.ok(peer);
  assert.equal(meshSwitch.off({ peer, lot: LOTS - 1 }), 'switched-off');
  assert.equal(meshSwitch.off({ peer, lot: 0 }), 'holdout');
  meshSwitch.mesh = true;
  assert.equal(meshSwitch.off({ peer, lot: LOTS - 1 }), undefined);
});
