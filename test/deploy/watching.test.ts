/** The dashboard and the alerts ask for what a server tells. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test, { type TestContext } from 'node:test';
import { parse } from 'yaml';
import { REFUSAL_REASONS } from '../../server/admission/refusals.ts';
import { noRedis, startRedis } from '../harness/redis.ts';
import { ROOT } from '../harness/serve.ts';
import { ask, run } from '../server/support.ts';
import { deployed } from './support.ts';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard = async (): Promise<readonly Panel[]> =>
  (JSON.parse(await deployed('grafana-dashboard.json')) as { panels: Panel[] }).panels;

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const alerts = async () => (parse(await deployed('alerts.yml')) as Rules).groups.flatMap(({ rules }) => rules);

/** Each question, with where it stands. */
async function questions(): Promise<[string, string][]> {
  const asked: [string, string][] = [];
  for (const { title, targets = [] } of await dashboard())
    for (const { expr } of targets) asked.push([`panel "${title}"`, expr]);
  for (const { alert, expr } of await alerts()) asked.push([`alert ${alert}`, expr]);
  return asked;
}

/** Names of metrics of ours or of the process, and what stands in braces behind them. */
const selectors = (expression: string): { readonly name: string; readonly labels: readonly string[] }[] =>
  [...expression.matchAll(/\b((?:p2p|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', labels = '']) => ({
    name,
    labels: [...labels.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));

/** Names as a server tells them: those of a histogram's parts, too. With Redis, if there is one to be had. */
async function told(t: TestContext): Promise<Set<string>> {
  const redis = noRedis === undefined ? (await startRedis(t)).url : undefined;
  const digestService = { origins: ['https://cdn.example'] };
  const { url } = await run(t, { digestService, ...(redis !== undefined && { redis }) });
  const { text } = await ask(url, '/metrics');
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', kind]) =>
    kind === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
  );
  return new Set(names);
}

test('every metric that a panel or an alert names is one that a server tells', async (t) => {
  const names = await told(t);
  const asked = await questions();
  assert.ok(asked.length > 25);
  for (const [place, expression] of asked) {
    const found = selectors(expression);
    assert.ok(found.length > 0 || expression.includes('up{'), `${place} asks for nothing`);
    for (const { name } of found)
      if (noRedis === undefined || !name.startsWith('p2p_redis_')) assert.ok(names.has(name), `${place}: ${name}`);
  }
});

test('every label that they select by is in the table of the metrics', async () => {
  const page = await readFile(`${ROOT}docs/metrics.md`, 'utf8');
  const labelsOf = (name: string): string[] =>
    new RegExp(`\`${name.replace(/_(?:bucket|sum|count)$/, '')}\\{([^}]*)\\}\``).exec(page)?.[1]?.split(',') ?? [];
  for (const [place, expression] of await questions())
    for (const { name, labels } of selectors(expression))
      for (const label of labels.filter((one) => one !== 'job'))
        assert.ok(labelsOf(name).includes(label), `${place}: ${name}{${label}}`);
});

test('every reason that an alert selects refusals by is one that the server gives', async () => {
  let asked = 0;
  for (const { alert, expr } of await alerts())
    for (const [, labels = ''] of expr.matchAll(/p2p_(?:signaling_events|refusals)_total\{([^}]*)\}/g)) {
      assert.match(labels, /event="refusals"/, `${alert}: the refusals of joined peers are not all`);
      for (const reason of /reason=~?"([^"]*)"/.exec(labels)?.[1]?.split('|') ?? []) {
        asked++;
        assert.ok((REFUSAL_REASONS as readonly string[]).includes(reason), `${alert}: ${reason}`);
      }
    }
  assert.ok(asked > 0);
});

test('every metric of ours has a panel', async (t) => {
  const expressions = (await dashboard()).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
  const without = [...(await told(t))]
    .filter((name) => /^p2p_/.test(name) && !/_(?:sum|count)$/.test(name))
    .filter((name) => !expressions.includes(name));
  // how much was hashed matters to who looks into it; clamped beacons have an alert
  assert.deepEqual(
    without.filter((name) => !/^p2p_(?:hash|client_beacons_clamped|client_stalled_seconds)/.test(name)),
    [],
  );
});

test('Prometheus is told where the alerts are, and asks by the name that they have', async () => {
  const config = parse(await deployed('prometheus.yml')) as {
    rule_files: string[];
    scrape_configs: { job_name: string }[];
  };
  assert.deepEqual(config.rule_files, ['alerts.yml']);
  const jobs = config.scrape_configs.map(({ job_name: name }) => name);
  for (const { alert, expr } of await alerts())
    for (const [, job = ''] of expr.matchAll(/job="([^"]*)"/g)) assert.ok(jobs.includes(job), `${alert}: ${job}`);
});
