/**
 * What the directory does in Redis, as Lua: each script is one step that nobody else's comes between, and one message there and back.
 *
 * Keys, after the prefix (a swarm id and a site key have no line break):
 * - `peer:ID`, a hash: `node`, `epoch`, `turn` (how often it came to another server), and `s` + swarm → its site there
 * - `all:SWARM`, a set of its peers; `sites:SWARM`, a set of its sites
 * - `line:SWARM\nSITE`, a sorted set: the site's members by when they joined, in microseconds
 * - `claims:SWARM\nSITE`, a hash: digest → crosser, when, told; `claimed:SWARM\nSITE`, a list of the digests in the order of their first claims
 * - `nodes`, a sorted set: servers by when they were heard of last, in microseconds; `held:NODE`, the set of a server's peers
 * - `subject:SUBJECT`, a hash: the peers of a token's subject → the server that has each
 * - `quiet:SWARM`, there while its changes are not told: whoever was told looks later
 *
 * The names of keys are made in the scripts, so a Redis Cluster can't run them; one Redis with replicas can.
 */
import { MAX_NEIGHBOURS, OUTSIDE_NEIGHBOURS, SITE_NEIGHBOURS } from '../../protocol/limits.ts';
import {
  MAX_CLAIMS_PER_SITE,
  MAX_OUTSIDE_DRAWS,
  NEXT_IN_LINE,
  NODE_DEAD_MS,
  SUBJECT_SECONDS,
  SWARM_NEWS_INTERVAL_MS,
} from '../limits.ts';

/** Before each script. ARGV: prefix, the server's id, the time in microseconds ('': Redis's own), then what the script needs. */
const COMMON = `
local prefix, node, given = ARGV[1], ARGV[2], ARGV[3]
local function clock()
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local now = clock()
local function key(kind, a, b)
  return prefix .. kind .. ':' .. a .. (b and '\\n' .. b or '')
end
local function lives(other)
  local seen = redis.call('ZSCORE', prefix .. 'nodes', other)
  return seen and tonumber(seen) > now - ${NODE_DEAD_MS * 1000}
end
local function tell(swarm)
  if redis.call('SET', key('quiet', swarm), '', 'PX', ${SWARM_NEWS_INTERVAL_MS}, 'NX') then
    redis.call('PUBLISH', key('news', swarm), '')
  end
end
local function drop(swarm, peer, site)
  redis.call('SREM', key('all', swarm), peer)
  local line = key('line', swarm, site)
  redis.call('ZREM', line, peer)
  if redis.call('EXISTS', line) == 0 then
    redis.call('SREM', key('sites', swarm), site)
    redis.call('DEL', key('claims', swarm, site), key('claimed', swarm, site))
  end
end
local function isOurs(peer)
  return redis.call('HGET', key('peer', peer), 'node') == node
end
local function swarmsOf(peer)
  local swarms, fields = {}, redis.call('HGETALL', key('peer', peer))
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 1) == 's' then swarms[#swarms + 1] = { string.sub(fields[i], 2), fields[i + 1] } end
  end
  return swarms
end
local function leaveAll(peer)
  local names = {}
  for i, place in ipairs(swarmsOf(peer)) do
    drop(place[1], peer, place[2])
    tell(place[1])
    names[i] = place[1]
  end
  redis.call('DEL', key('peer', peer))
  return names
end
local function state(swarm, site)
  local line = key('line', swarm, site)
  return { redis.call('SCARD', key('all', swarm)), redis.call('ZCARD', line), redis.call('SCARD', key('sites', swarm)),
    redis.call('ZRANGE', line, 0, ${NEXT_IN_LINE}) }
end
`;

const script = (body: string): string => `${COMMON}${body}`;

/** peer, epoch → { 1, turn, the server before or '', swarms } | { 0 }: superseded */
export const ENTER = script(`
local peer, epoch = ARGV[4], tonumber(ARGV[5])
local entry = key('peer', peer)
local before = redis.call('HMGET', entry, 'node', 'epoch')
local other = before[1] and before[1] ~= node and before[1]
if other then
  if lives(other) and epoch < tonumber(before[2]) then return { 0 } end
  redis.call('SREM', key('held', other), peer)
end
local swarms = {}
for i, place in ipairs(swarmsOf(peer)) do swarms[i] = place[1] end
redis.call('HSET', entry, 'node', node, 'epoch', epoch)
redis.call('SADD', key('held', node), peer)
local turn = redis.call('HINCRBY', entry, 'turn', 1)
if other then redis.call('PUBLISH', key('inbox', other), 'gone\\n' .. peer .. '\\n' .. turn) end
return { 1, turn, swarms }
`);

/**
 * swarm, peer, site, when it joined in microseconds since 1970 or '' for now → { size, siteSize, sites, line, members, others, nodes of these } | false: the peer is another server's.
 */
export const JOIN = script(`
local swarm, peer, site = ARGV[4], ARGV[5], ARGV[6]
if not isOurs(peer) then return false end
local entry, all, line = key('peer', peer), key('all', swarm), key('line', swarm, site)
local before = redis.call('HGET', entry, 's' .. swarm)
if before ~= site then
  if before then drop(swarm, peer, before) end
  redis.call('HSET', entry, 's' .. swarm, site)
  redis.call('SADD', all, peer)
  redis.call('SADD', key('sites', swarm), site)
  redis.call('ZADD', line, ARGV[7] ~= '' and ARGV[7] or now, peer)
  tell(swarm)
end
local answer = state(swarm, site)
local size, siteSize = answer[1], answer[2]
local outside = size - siteSize
local siteCount = math.min(siteSize - 1, math.max(${SITE_NEIGHBOURS}, ${MAX_NEIGHBOURS} - math.min(outside, ${OUTSIDE_NEIGHBOURS})))
local otherCount = math.min(outside, ${MAX_NEIGHBOURS} - siteCount)
local members, others, nodes, picked = {}, {}, {}, { [peer] = true }
local function pick(list, count, candidates, isWanted)
  for left = #candidates, 1, -1 do
    local at = math.random(left)
    local one = candidates[at]
    candidates[at] = candidates[left]
    if #list < count and not picked[one] and (not isWanted or isWanted(one)) then
      picked[one] = true
      list[#list + 1] = one
    end
  end
end
local function isOutside(one) return not redis.call('ZSCORE', line, one) end
-- Redis gives a random choice in no random order, and begins each script with the same seed
math.randomseed(now % 2147483647)
if siteCount > 0 then pick(members, siteCount, redis.call('ZRANDMEMBER', line, siteCount + 1)) end
for _, draws in ipairs({ 3 * otherCount, ${MAX_OUTSIDE_DRAWS} }) do
  if #others < otherCount then pick(others, otherCount, redis.call('SRANDMEMBER', all, draws), isOutside) end
end
if #others < otherCount then
  for _, other in ipairs(redis.call('SRANDMEMBER', key('sites', swarm), otherCount + 1)) do
    if other ~= site then pick(others, otherCount, redis.call('ZRANDMEMBER', key('line', swarm, other), otherCount)) end
  end
end
for _, list in ipairs({ members, others }) do
  for _, one in ipairs(list) do nodes[#nodes + 1] = redis.call('HGET', key('peer', one), 'node') or '' end
end
answer[5], answer[6], answer[7] = members, others, nodes
return answer
`);

/** swarm, site → { size, siteSize, sites, line } */
export const STATE = script(`return state(ARGV[4], ARGV[5])`);

/** swarm, peer → 1: it was in the swarm, and here */
export const LEAVE = script(`
local swarm, peer = ARGV[4], ARGV[5]
local site = isOurs(peer) and redis.call('HGET', key('peer', peer), 's' .. swarm)
if not site then return 0 end
drop(swarm, peer, site)
redis.call('HDEL', key('peer', peer), 's' .. swarm)
tell(swarm)
return 1
`);

/** peer → the swarms that it was in; none if it is another server's */
export const LEAVE_ALL = script(`
if not isOurs(ARGV[4]) then return {} end
redis.call('SREM', key('held', node), ARGV[4])
return leaveAll(ARGV[4])
`);

/** swarm, peer, digest, instead or '', '1' for a quiet one or '' → { crosser, since, company for or -1, told }, times in milliseconds | false: it is not in the swarm */
export const CLAIM = script(`
local swarm, peer, digest, instead, quiet = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8] == '1'
local site = redis.call('HGET', key('peer', peer), 's' .. swarm)
if not site then return false end
local line, claims, order = key('line', swarm, site), key('claims', swarm, site), key('claimed', swarm, site)
local before = redis.call('HGET', claims, digest)
local crosser, at, told, stands = peer, now, 0, false
if before then
  local who, since, count = string.match(before, '^(%S+) (%S+) (%S+)$')
  stands = who ~= instead and redis.call('ZSCORE', line, who)
  if stands then crosser, at, told = who, tonumber(since), tonumber(count) end
end
if stands or not quiet then
  if not before then redis.call('RPUSH', order, digest) end
  local counted = crosser == peer and told or told + 1
  redis.call('HSET', claims, digest, crosser .. ' ' .. string.format('%.0f', at) .. ' ' .. counted)
end
if redis.call('HLEN', claims) > ${MAX_CLAIMS_PER_SITE} then redis.call('HDEL', claims, redis.call('LPOP', order)) end
local company, eldest = -1, redis.call('ZRANGE', line, 0, 1, 'WITHSCORES')
for i = 1, #eldest, 2 do
  if eldest[i] ~= peer and company < 0 then company = math.floor((now - eldest[i + 1]) / 1000 + 0.5) end
end
return { crosser, math.floor((now - at) / 1000 + 0.5), company, told }
`);

/** → { 1: this server was known, else 0, then servers that were not heard of for NODE_DEAD_MS } */
export const BEAT = script(`
local nodes = prefix .. 'nodes'
-- one that was silent for so long may be half swept out
local known = lives(node) and 1 or 0
redis.call('ZADD', nodes, now, node)
local answer = redis.call('ZRANGEBYSCORE', nodes, '-inf', now - ${NODE_DEAD_MS * 1000}, 'LIMIT', 0, 10)
table.insert(answer, 1, known)
return answer
`);

/** a dead server, at most so many of its peers → how many are left; its peers that did not come to another are in no swarm any more */
export const SWEEP = script(`
local dead = ARGV[4]
if lives(dead) then return 0 end
local held = key('held', dead)
for _, peer in ipairs(redis.call('SPOP', held, ARGV[5])) do
  if redis.call('HGET', key('peer', peer), 'node') == dead then leaveAll(peer) end
end
local left = redis.call('SCARD', held)
if left == 0 then redis.call('ZREM', prefix .. 'nodes', dead) end
return left
`);

/** peer → the server that has it, or '' */
export const NODE_OF = script(`
local other = redis.call('HGET', key('peer', ARGV[4]), 'node')
return other and lives(other) and other or ''
`);

/** → the peers that this server is taken to have */
export const HELD = script(`return redis.call('SMEMBERS', key('held', node))`);

/** subject, peer, at most so many → 1: the peer has a place now, 0: all are taken. Those of dead servers are free; those that nobody asks about for a day, forgotten. */
export const TAKE_PLACE = script(`
local places, peer, most = key('subject', ARGV[4]), ARGV[5], tonumber(ARGV[6])
if redis.call('HEXISTS', places, peer) == 0 and redis.call('HLEN', places) >= most then
  local fields = redis.call('HGETALL', places)
  for i = 1, #fields, 2 do
    if fields[i + 1] ~= node and not lives(fields[i + 1]) then redis.call('HDEL', places, fields[i]) end
  end
  if redis.call('HLEN', places) >= most then return 0 end
end
redis.call('HSET', places, peer, node)
redis.call('EXPIRE', places, ${SUBJECT_SECONDS})
return 1
`);

/** subject, peer → 1: its place is free again, 0: it is another server's */
export const GIVE_PLACE = script(`
local places, peer = key('subject', ARGV[4]), ARGV[5]
return redis.call('HGET', places, peer) == node and redis.call('HDEL', places, peer) or 0
`);

/** This server is no more; its peers have left. */
export const PART = script(`return redis.call('ZREM', prefix .. 'nodes', node)`);

export const SCRIPTS: readonly string[] = [
  ENTER,
  JOIN,
  STATE,
  LEAVE,
  LEAVE_ALL,
  CLAIM,
  BEAT,
  SWEEP,
  NODE_OF,
  HELD,
  TAKE_PLACE,
  GIVE_PLACE,
  PART,
];
