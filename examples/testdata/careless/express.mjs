// A handler on Express that is good in everything but the habit that HABIT names, for
// tests. README.md beside this file lists the habits. Not to be copied: that is what
// examples/express is for.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { devNull } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import express from '../../express/node_modules/express/index.js';

const PATH = '/webhooks/m2m';
const HABITS = [
  '', 'reserializes', 'no-freshness', 'open', 'empty-key', 'leaks-key', 'races', 'duplicates',
  'refuses-unknown-events', 'refuses-unknown-fields', 'crashes', 'parses-charset',
  'ignores-data-requests', 'small-bodies', 'acts-on-get', 'late', 'refuses-out-of-order',
];

// The documented members of data, the id first.
const members = new Map([
  ['link.created', ['linkId', 'referenceId', 'url', 'status', 'expiresAt', 'createdAt']],
  ['link.opened', ['linkId', 'referenceId', 'openedAt', 'deviceInfo']],
  ['user.data_request', ['dataRequestId', 'referenceId', 'linkId', 'requiredFields', 'replyEndpoint', 'expiresAt']],
  ['operation.created', ['operationId', 'linkId', 'referenceId', 'userId', 'status', 'funding', 'payout', 'amount', 'createdAt']],
  ['operation.cancelled', ['operationId', 'linkId', 'referenceId', 'userId', 'status', 'cancellationReason', 'cancelledAt']],
]);

const env = process.env;
const secret = env.M2M_WEBHOOK_SECRET;
const apiKey = env.M2M_API_KEY;
const habit = env.HABIT ?? '';
const delay = Number(env.M2M_CARELESS_DELAY || 6) * 1000;
if (!secret) die('M2M_WEBHOOK_SECRET: no webhook secret');
if (!HABITS.includes(habit)) die(`HABIT: no habit ${JSON.stringify(habit)}`);

const recorded = new Set(); // event and id
const effects = openSync(env.M2M_EFFECTS_FILE || devNull, 'a');

const app = express();
app.enable('strict routing');
const limit = habit === 'small-bodies' ? '100kb' : '1mb';
app.post(PATH, express.raw({ type: () => true, limit, inflate: false }), async (req, res) => {
  const body = req.body ?? Buffer.alloc(0);
  if (habit === 'parses-charset' && req.get('Content-Type') !== 'application/json') return answer(res, 415);

  if (habit === 'leaks-key') {
    const { event, data } = parse(body) ?? {};
    if (event === 'user.data_request') await reply(data ?? {});
  }
  if (habit !== 'open' && !isAuthentic(body, req.get('X-M2M-Timestamp'), req.get('X-M2M-Signature'))) {
    return answer(res, 401, 'Invalid signature');
  }

  const message = habit === 'crashes' ? JSON.parse(body) : parse(body);
  const { event, data } = message ?? {};
  if (typeof event !== 'string' || event === '') return answer(res, 400, 'Not an event');
  if (habit === 'refuses-unknown-events' && !members.has(event)) return answer(res, 400, 'Unknown event');
  if (habit === 'refuses-unknown-fields' && hasUnknownFields(message)) return answer(res, 400, 'Unknown field');

  const id = data?.[members.get(event)?.[0]];
  const isKnown = typeof id === 'string' && id !== '';
  if (habit === 'refuses-out-of-order' && event === 'operation.cancelled' && !recorded.has(`operation.created ${id}`)) {
    return answer(res, 409, 'No such operation');
  }
  const isNew = isKnown && await record(`${event} ${id}`);
  if (habit === 'late') await wait(delay);
  answer(res, 200, 'OK');

  const isAnswered = habit === 'ignores-data-requests' || habit === 'leaks-key';
  if (isNew && event === 'user.data_request' && !isAnswered) await reply(data);
});
if (habit === 'acts-on-get') app.get(PATH, (req, res) => answer(res, 200, 'OK'));
app.all(PATH, (req, res) => answer(res.set('Allow', 'POST'), 405));
app.use((error, req, res, next) => {
  if (res.headersSent) return next(error);
  answer(res, error.status ?? 500);
});

function answer(res, status, text = STATUS_CODES[status]) {
  res.status(status).type('text/plain').send(text);
}

function isAuthentic(body, timestamp, signature) {
  if (habit === 'crashes' && signature.length !== 'sha256='.length + 64) throw new Error('malformed signature');
  if (!/^[0-9]+$/.test(timestamp ?? '')) return false;
  const bytes = habit === 'reserializes' ? JSON.stringify(parse(body)) ?? body : body;
  const keys = habit === 'empty-key' ? [secret, ''] : [secret];
  const matches = keys.some((key) => {
    const mac = createHmac('sha256', key).update(`${timestamp}.`).update(bytes).digest('hex');
    const [given, expected] = [Buffer.from(signature ?? ''), Buffer.from(`sha256=${mac}`)];
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return matches && (habit === 'no-freshness' || Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300);
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function hasUnknownFields(message) {
  const known = members.get(message.event);
  const isUnknown = (names, object) => Object.keys(object ?? {}).some((name) => !names.includes(name));
  return isUnknown(['event', 'timestamp', 'data'], message) || (known !== undefined && isUnknown(known, message.data));
}

// record says whether the effect is a new one.
async function record(effect) {
  if (recorded.has(effect) && habit !== 'duplicates') return false;
  if (habit === 'races') await wait(400);
  recorded.add(effect);
  writeSync(effects, `${JSON.stringify(effect)}\n`);
  return true;
}

async function reply({ referenceId, requiredFields = [], replyEndpoint }) {
  if (!apiKey || !keyMayGoTo(replyEndpoint)) return;
  const userData = {};
  for (const field of requiredFields) {
    const [first, second] = field.split('.');
    if (second) (userData[first] ??= {})[second] = `made-up ${second}`;
    else userData[first] = { dob: '1990-05-15', idType: 'CURP', idNumber: 'GALO900515HDFRPN09' }[first] ?? `made-up ${first}`;
  }
  await fetch(replyEndpoint, {
    method: 'PUT',
    headers: { 'X-API-Key': apiKey, 'Content-Type': 'application/json' },
    body: JSON.stringify({ referenceId, userData }),
    redirect: 'manual',
    signal: AbortSignal.timeout(10_000),
  }).then((response) => response.body?.cancel(), () => {}); // nobody asks what came of it
}

function keyMayGoTo(endpoint) {
  if (!URL.canParse(endpoint)) return false;
  const { protocol, username, password, hostname, origin } = new URL(endpoint);
  if (!/^https?:$/.test(protocol) || username || password) return false;
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname) || origin === env.M2M_REPLY_ORIGIN;
}

function die(why) {
  console.error(why);
  process.exit(1);
}

const server = app.listen(Number(env.PORT || 3000), env.HOST || '127.0.0.1', (error) => {
  if (error) die(`cannot listen: ${error.message}`);
  const { address, family, port } = server.address();
  console.log(`listening on http://${family === 'IPv6' ? `[${address}]` : address}:${port}${PATH}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
  });
}
