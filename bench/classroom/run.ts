/** One run: sets up network, origin and viewers, lets them watch, and takes everything down again. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { liveFolder, vodFolder, type MediaFolder } from './media-folder.ts';
import { byteRate, makeMedia, renditionsOf } from './media.ts';
import type { Measurement } from './measurement.ts';
import { teardown } from './namespaces.ts';
import { setUp } from './network.ts';
import type { RunOptions } from './options.ts';
import { Origin } from './origin.ts';
import { originCommand, putPage, type Places } from './systems.ts';
import { Lesson } from './lesson.ts';
import { Viewer } from './viewers.ts';

/** Time for browsers that were just started to become quiet. */
const SETTLE_MS = 1000;

let runs = 0;

export async function runClassroom(options: RunOptions, places: Places): Promise<Measurement> {
  const renditions = renditionsOf(options.renditions);
  makeMedia(places.cache, renditions);
  const folder = { path: join(places.temporary, `media-${++runs}`), cache: places.cache, renditions };
  const isLive = options.mode === 'live';
  const media = isLive ? liveFolder(folder, options.liveWindow) : vodFolder(folder, options.duration);
  try {
    setUp(options);
    const url = putPage(options, media);
    const origin = await Origin.start(originCommand(options.system, places, media.path), options.verbose);
    const lesson = new Lesson(options, url, await launchAll(options, places));
    if (options.warm) await lesson.visitOnce();
    const watched = await lesson.watch();
    const served = (await origin.stop()).filter(({ end }) => end >= watched.wallClock);
    const rate = (rendition: (typeof renditions)[number]): number =>
      byteRate(places.cache, rendition, isLive ? undefined : options.duration);
    const rates = new Map(renditions.map((rendition) => [rendition.height, rate(rendition)]));
    return { options, ...watched.facts, served, media: { sizes: sizesOf(media), rates } };
  } finally {
    media.close();
    teardown();
  }
}

async function launchAll(
  { viewers: count, chromeFlags: flags, verbose }: RunOptions,
  places: Places,
): Promise<Viewer[]> {
  const { chromium, temporary } = places;
  const viewers: Viewer[] = [];
  // one after the other: together they starve each other
  for (let number = 1; number <= count; number++)
    viewers.push(await Viewer.launch(number, { chromium, flags, temporary, isVerbose: verbose }));
  await delay(SETTLE_MS);
  return viewers;
}

const sizesOf = ({ sizes }: MediaFolder): ReadonlyMap<string, number> => new Map(sizes);
