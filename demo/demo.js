// The demo page: which video plays, the light that shows whether the origin is there, and where each picture came from.
// It uses the elements as any page would: their tags, attributes, properties and events.

const LESSON = '/media/lesson/index.m3u8';
const LIVE = '/live/index.m3u8';

/** Milliseconds between two looks at the origin. */
const LOOK_MS = 3000;

const SOURCES = {
  store: 'was on this device',
  peers: 'came from a neighbour',
  origin: 'came from the origin',
  mixed: 'came from a neighbour and the origin',
};

const parameters = new URLSearchParams(location.search);
startVideo(document.querySelector('#video'));
for (const figure of document.querySelectorAll('figure'))
  tellSource(figure.querySelector('p2p-img'), figure.querySelector('output'));
document.querySelector('#insecure').hidden = window.isSecureContext;
document.querySelector('#second').addEventListener('click', openSecondWindow);
watchOrigin(document.querySelector('#light'));

/** `?src=URL` plays any HLS stream or file, `?live` the live stream, `?autoplay` starts muted. */
function startVideo(video) {
  const live = parameters.has('live');
  const src = parameters.get('src') || (live ? LIVE : LESSON);
  if (parameters.has('autoplay')) {
    video.setAttribute('muted', '');
    video.setAttribute('autoplay', '');
  }
  video.setAttribute('src', src);
  for (const link of document.querySelectorAll('nav a')) {
    const target = new URLSearchParams(new URL(link.href).search);
    if ((target.get('src') || (target.has('live') ? LIVE : LESSON)) === src) link.setAttribute('aria-current', 'page');
  }
}

function tellSource(image, output) {
  const tell = () => (output.value = SOURCES[image.source] ?? 'came from the origin');
  image.addEventListener('load', tell);
  image.addEventListener('error', () => (output.value = 'could not be had'));
}

/** Windows beside each other: a tab in the background is slowed down by the browser, and a video in it may not start. */
function openSecondWindow(event) {
  const address = new URL(location.href);
  address.searchParams.set('autoplay', '');
  const opened = window.open(
    address,
    '',
    `popup,width=${Math.min(900, window.screen.availWidth / 2)},height=${window.screen.availHeight}`,
  );
  if (opened) event.preventDefault();
}

/** The light says what a plain request finds; what the mesh finds in between counts at once. */
async function watchOrigin(light) {
  const show = (reachable) => {
    light.dataset.state = reachable ? 'reachable' : 'gone';
    light.textContent = reachable ? 'The origin is reachable' : 'The origin is unreachable – the page plays on';
  };
  await customElements.whenDefined('p2p-stats');
  const { mesh } = document.querySelector('p2p-stats');
  mesh.addEventListener('stats', ({ detail }) => {
    if (!detail.originReachable) show(false);
  });
  const look = async () => {
    try {
      const answer = await fetch('/healthz', { cache: 'no-store' });
      show(answer.ok);
    } catch {
      show(false);
    }
    setTimeout(look, LOOK_MS);
  };
  await look();
}
