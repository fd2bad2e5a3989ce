// A reference handler for M2M's webhooks, made to be copied and changed.
//
// It takes a delivery only when it is signed with your secret and not older than
// five minutes, records each event once however often it is delivered, and answers
// data requests with what is on file for the user. It looks at nothing in a body
// before the signature is checked, and sends the API key to nobody but M2M (and, for
// trying it out, this machine). What it records is kept in memory only.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { devNull } from 'node:os';
import express from 'express';

const PATH = '/webhooks/m2m';
const TOLERANCE_SECONDS = 5 * 60;
const PRODUCTION = 'https://api.m2m.leapfinancial.com';
const SANDBOX = 'https://api.sandbox.m2m.leapfinancial.com';

const {
  M2M_WEBHOOK_SECRET: secret,
  M2M_API_KEY: apiKey,
  M2M_REPLY_ORIGIN: replyOrigin,
  M2M_EFFECTS_FILE: effectsFile,
} = process.env;

// An empty key makes an HMAC like any other key, but one that everybody can make.
if (!secret) {
  console.error('M2M_WEBHOOK_SECRET: no webhook secret: without it no delivery can be verified');
  process.exit(1);
}

// Stand-ins for your database. The fields have M2M's names, those of requiredFields.
const users = new Map([
  ['user_12345', {
    'name.firstName': 'Maria',
    'name.secondName': 'Carlos',
    'name.lastName': 'Garcia',
    'name.secondLastName': 'Lopez',
    idNumber: 'GALO900515HDFRPN09',
    idType: 'CURP',
    dob: '1990-05-15',
  }],
]);
const recorded = new Set(); // event and id
const effects = openSync(effectsFile || devNull, 'a'); // the same, for others to count
const operations = new Map(); // operationId → status

// Events have no id of their own. What makes a delivery a repeat is its type together
// with the id of the thing that it is about.
const idFields = new Map([
  ['link.created', 'linkId'],
  ['link.opened', 'linkId'],
  ['user.data_request', 'dataRequestId'],
  ['operation.created', 'operationId'],
  ['operation.cancelled', 'operationId'],
]);

const app = express();
app.disable('x-powered-by');
app.enable('case sensitive routing');
app.enable('strict routing');

// The signature covers the bytes as they were sent, so no parser may come first (an
// app-wide express.json() would): what it makes of them cannot be turned back into the
// same bytes, nor can a decompressed body. A function as `type`, because a list of
// media types leaves req.body unset for those that are not on it.
const rawBody = express.raw({ type: () => true, limit: '1mb', inflate: false });

app.post(PATH, rawBody, (req, res) => {
  const body = req.body ?? Buffer.alloc(0); // unset when there is no body at all

  if (!isAuthentic(body, req.get('X-M2M-Timestamp'), req.get('X-M2M-Signature'))) {
    return answer(res, 401, 'Invalid signature');
  }

  // Read the type from the body: the X-M2M-Event header is not signed.
  const { event, data } = parse(body) ?? {};
  if (typeof event !== 'string' || event === '') {
    return answer(res, 400, 'Not an event');
  }

  // What has been acknowledged will not be sent again: record first, acknowledge then,
  // and leave all that takes time for afterwards.
  const isNew = record(event, data);
  answer(res, 200, 'OK');

  if (isNew && event === 'user.data_request') {
    // A rejection that nobody catches ends the whole process.
    answerDataRequest(data).catch((error) => {
      // Not the message: fetch quotes a header that it does not like, key and all.
      notAnswered(data.dataRequestId, error.cause?.code ?? error.name);
    });
  }
});

app.all(PATH, (req, res) => answer(res.set('Allow', 'POST'), 405, STATUS_CODES[405]));

// Express's own error page shows the stack.
app.use((error, req, res, next) => {
  if (res.headersSent) return next(error);
  const status = error.status ?? 500;
  if (status >= 500) console.error(error);
  answer(res, status, STATUS_CODES[status]);
});

function answer(res, status, text) {
  res.status(status).type('text/plain').send(text);
}

// isAuthentic says whether body was signed with the secret, and recently.
function isAuthentic(body, timestamp = '', signature = '') {
  // Anything but digits is refused before Number can make sense of it ('1e9', ' 7').
  if (!/^[0-9]+$/.test(timestamp)) return false;

  // The header's own text is signed, not the number that it stands for.
  const hmac = createHmac('sha256', secret).update(`${timestamp}.`).update(body);
  const expected = Buffer.from(`sha256=${hmac.digest('hex')}`);

  // timingSafeEqual throws when the lengths differ, and they are counted in bytes:
  // a string of the right length may be longer than that.
  const given = Buffer.from(signature);
  const matches = given.length === expected.length && timingSafeEqual(given, expected);

  // Without a limit on its age, a captured delivery could be sent again for ever.
  const age = Math.floor(Date.now() / 1000) - Number(timestamp);
  return matches && Math.abs(age) <= TOLERANCE_SECONDS;
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

// record notes the effect of an event and says whether it is a new one.
//
// A delivery may come twice, also twice at the same moment. Nothing is awaited between
// the look and the note, so that no other delivery can come between them. In production
// this is one INSERT with a unique key on (event, id): reading first and writing later
// lets two deliveries both find nothing.
function record(event, data) {
  if (!idFields.has(event)) {
    // M2M may add events at any time. A refusal would only have it sent again.
    console.log(`${quote(event)} unknown, ignored`);
    return false;
  }
  const id = data?.[idFields.get(event)];
  if (typeof id !== 'string' || id === '') {
    // Otherwise all events without an id would be repeats of the first.
    console.log(`${event} without ${idFields.get(event)}, ignored`);
    return false;
  }

  const key = `${event} ${id}`;
  if (recorded.has(key)) {
    console.log(`${event} ${quote(id)} duplicate ignored`);
    return false;
  }
  // If this throws, M2M gets a 500 and sends the event again.
  writeSync(effects, `${event} ${quote(id)}\n`);
  recorded.add(key);

  let remark = '';
  if (event === 'operation.cancelled') operations.set(id, 'cancelled');
  if (event === 'operation.created') {
    // Deliveries may overtake each other: what is cancelled stays cancelled.
    if (operations.get(id) === 'cancelled') remark = ', stays cancelled';
    else operations.set(id, 'created');
  }
  console.log(`${event} ${quote(id)} recorded${remark}`);
  return true;
}

// answerDataRequest sends M2M the fields that it asks for, and no others.
async function answerDataRequest({ dataRequestId, referenceId, requiredFields, replyEndpoint }) {
  if (!apiKey) return notAnswered(dataRequestId, 'no API key');

  const user = users.get(referenceId);
  if (!user) return notAnswered(dataRequestId, `no user ${quote(referenceId)}`);

  if (!keyMayGoTo(replyEndpoint, dataRequestId)) {
    return notAnswered(dataRequestId, `the API key does not go to ${quote(replyEndpoint)}`);
  }

  if (!requiredFields?.length) return notAnswered(dataRequestId, 'no field is asked for');
  const userData = {};
  for (const field of requiredFields) {
    // Own members only: a field named "constructor" must not find anything.
    if (!Object.hasOwn(user, field)) return notAnswered(dataRequestId, `no ${quote(field)} on file`);
    const names = field.split('.');
    const last = names.pop();
    const parent = names.reduce((object, name) => (object[name] ??= {}), userData);
    parent[last] = user[field];
  }

  const response = await fetch(replyEndpoint, {
    method: 'PUT',
    headers: { 'X-API-Key': apiKey, 'Content-Type': 'application/json' },
    body: JSON.stringify({ referenceId, userData }),
    redirect: 'manual', // the key would go along to wherever it leads
    signal: AbortSignal.timeout(10_000),
  });
  await response.body?.cancel(); // an unread body keeps its connection
  console.log(`data request ${quote(dataRequestId)} answered: ${response.status}`);
}

// keyMayGoTo says whether the API key may be sent to endpoint, which comes from the
// payload: a key for the real API goes to that alone, a test key to the sandbox, and to
// this machine, so that local tools can play M2M.
function keyMayGoTo(endpoint, dataRequestId) {
  if (!URL.canParse(endpoint)) return false;
  const url = new URL(endpoint);
  const live = apiKey.startsWith('m2m_live_');
  const test = apiKey.startsWith('m2m_test_');

  // The whole address is compared: with another port, a user name, another path or a
  // query it is another address.
  const path = `/partner/data-requests/${encodeURIComponent(dataRequestId)}`;
  if (url.href === PRODUCTION + path) return !test;
  if (url.href === SANDBOX + path) return !live;

  if (live || !/^https?:$/.test(url.protocol) || url.username || url.password) return false;
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname) || url.origin === replyOrigin;
}

function notAnswered(dataRequestId, why) {
  console.log(`data request ${quote(dataRequestId)} not answered: ${why}`);
}

// quote makes a text from outside harmless in a log: no line breaks, and nothing that a
// terminal would obey. JSON alone lets some of that through.
function quote(text) {
  return String(JSON.stringify(text)).replace(
    /[^ -~]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

// Express 5 hands a port already in use to this callback instead of throwing.
const server = app.listen(Number(process.env.PORT || 3000), process.env.HOST || '127.0.0.1', (error) => {
  if (error) {
    console.error(`cannot listen: ${error.message}`);
    process.exit(1);
  }
  const { address, family, port } = server.address();
  const host = family === 'IPv6' ? `[${address}]` : address;
  console.log(`listening on http://${host}:${port}${PATH}`);
});

// What is in flight is finished first; once there is nothing left to do, node ends by
// itself. A second signal ends it at once.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
  });
}
