import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { AbrController, default as Hls } from 'hls.js';
import { abrController } from '../../../components/hls/abr-controller.ts';
import { loadFullBuild, loadLightBuild, type HlsModule } from '../../../components/hls/build.ts';

type Handler = (event: string, data: unknown) => void;

/** As much of a player as a controller needs; the timers that it starts are counted. */
function setUp(t: TestContext, { default: { DefaultConfig } }: HlsModule, Controller: typeof AbrController) {
  const handlers = new Map<string, Handler>();
  const timers: unknown[] = [];
  const fake = {
    setInterval: (_: unknown, milliseconds: number) => timers.push(milliseconds),
    clearInterval: () => timers.pop(),
    performance,
  };
  Object.assign(globalThis, { self: fake });
  t.after(() => Reflect.deleteProperty(globalThis, 'self'));
  const hls = {
    config: DefaultConfig,
    logger: Object.fromEntries(
      ['trace', 'debug', 'log', 'warn', 'info', 'error'].map((name) => [name, () => undefined]),
    ),
    on: (event: string, handler: Handler, controller: unknown) => handlers.set(event, handler.bind(controller)),
    off: () => undefined,
  };
  const controller = new Controller(hls as unknown as Hls);
  return { controller, timers, tell: (event: string, data: unknown) => handlers.get(event)?.(event, data) };
}

for (const [name, load] of [
  ['light', loadLightBuild],
  ['full', loadFullBuild],
] as const) {
  const LOADING = { frag: { type: 'main', sn: 1, level: 2 } };

  test(`a segment that loads is never abandoned for a lower rendition: ${name} build`, async (t) => {
    const module = await load();
    const { timers, tell } = setUp(
      t,
      module,
      abrController(module.default.DefaultConfig.abrController, (_, suggested) => suggested),
    );
    tell(module.Events.FRAG_LOADING, LOADING);
    assert.deepEqual(timers, []);
  });

  test(`hls.js's own controller, as abr="player" has it, watches each segment: ${name} build`, async (t) => {
    const module = await load();
    const { timers, tell } = setUp(t, module, module.default.DefaultConfig.abrController);
    tell(module.Events.FRAG_LOADING, LOADING);
    assert.deepEqual(timers, [100]);
  });
}

test('a controller that is destroyed asks nobody', async (t) => {
  const module = await loadLightBuild();
  let asked = 0;
  const { controller } = setUp(
    t,
    module,
    abrController(module.default.DefaultConfig.abrController, (_, suggested) => (asked++, suggested)),
  );
  controller.destroy();
  assert.equal(controller.nextAutoLevel, -1);
  assert.equal(asked, 0);
});
