import type { Context } from 'koa';
import { DIGESTS_PATH, type DigestList } from '../../protocol/digest-list.ts';
import { LEAVES_PREFIX } from '../digests/serve-manifest.ts';
import { addressKey } from '../admission/address-key.ts';
import type { AddressOf } from '../client-address.ts';
import { sendBody, sendText } from '../http/send-body.ts';
import type { Description, DigestService } from './digest-service.ts';
import { COMPLETE_MAX_AGE_SECONDS, PARTIAL_MAX_AGE_SECONDS } from './limits.ts';

/**
 * `GET /p2p/digests?playlist=<URL>`: the digests of what a playlist of another origin lists. The same for everybody, so a cache may hold it.
 * @param service undefined: the operator named no origins
 */
export async function sendDigests(
  context: Context,
  service: DigestService | undefined,
  addressOf: AddressOf,
): Promise<void> {
  if (!service) {
    sendText(context, 404, 'There is no digest service here: the server was started without --digest-origins.');
    return;
  }
  const playlists = new URLSearchParams(context.querystring).getAll('playlist');
  const [url] = playlists;
  if (playlists.length !== 1 || url === undefined || !URL.canParse(url)) {
    sendText(context, 400, `Expected ${DIGESTS_PATH}?playlist= and one absolute URL, percent-encoded.`);
    return;
  }
  await send(context, await service.describe(url, addressKey(addressOf(context.req))));
}

async function send(context: Context, description: Description): Promise<void> {
  switch (description.kind) {
    case 'known':
      await sendList(context, description);
      return;
    case 'forbidden':
      sendText(context, 403, 'Playlists of this origin are not hashed here: it is not in --digest-origins.');
      return;
    case 'busy':
      context.set('retry-after', '2');
      sendText(context, 503, 'Too many new playlists at once. Ask again in 2 s.');
      return;
    case 'failed':
      // Why is for the log: it may tell of the operator's own network.
      sendText(context, 502, 'This playlist can not be read by the server, or it is no HLS playlist.');
      return;
    default:
      description satisfies never;
  }
}

function sendList(context: Context, { isSettled, assets }: Extract<Description, { kind: 'known' }>): Promise<void> {
  const list: DigestList = {
    version: 1,
    leaves: LEAVES_PREFIX,
    complete: isSettled,
    assets: assets.map(({ asset: { url, range }, name: { digest, size } }) => ({
      url,
      ...(range && { start: range.start }),
      digest,
      size,
    })),
  };
  const seconds = isSettled ? COMPLETE_MAX_AGE_SECONDS : PARTIAL_MAX_AGE_SECONDS;
  return sendBody(context, JSON.stringify(list), { type: 'application/json', cache: `public, max-age=${seconds}` });
}
