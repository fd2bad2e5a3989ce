// What an integrator gets who builds a handler the way the complete example on M2M's
// event-types page is built: the same parser, the same check, the same order of steps,
// in words of our own. For tests, which show what comes of it:
//
//   - a signature header that is missing or has another length throws: 500, not 401,
//     with a stack trace in the answer;
//   - so does a signed body that is not JSON, and one of another content type;
//   - a delivery of any age is taken;
//   - more than 100 kB is refused;
//   - a data request is logged, and answered by nobody.
//
// Not to be copied: that is what examples/express is for. It borrows the Express of that.

const crypto = require('node:crypto');
const express = require('../../express/node_modules/express');

const PATH = '/webhooks/m2m';
const app = express();

app.use(PATH, express.raw({ type: 'application/json' }));

app.post(PATH, async (req, res) => {
  const given = req.headers['x-m2m-signature'];
  const sentAt = req.headers['x-m2m-timestamp'];
  if (!isSigned(req.body.toString(), given, sentAt)) {
    return res.status(401).send('Invalid signature');
  }

  const { event, data } = JSON.parse(req.body);
  res.status(200).send('OK');

  try {
    const handle = handlers[event];
    if (handle) await handle(data);
    else console.log(`Unknown event: ${event}`);
  } catch (error) {
    console.error(`${event} could not be handled:`, error);
  }
});

function isSigned(payload, signature, timestamp) {
  const hmac = crypto.createHmac('sha256', process.env.M2M_WEBHOOK_SECRET);
  const expected = hmac.update(`${timestamp}.${payload}`).digest('hex');
  return crypto.timingSafeEqual(
    Buffer.from(signature.replace('sha256=', '')),
    Buffer.from(expected),
  );
}

const handlers = {
  __proto__: null,
  'link.created': async (data) => console.log(`Link created: ${data.linkId}`),
  'link.opened': async (data) => console.log(`Link opened: ${data.linkId}`),
  'user.data_request': async (data) => console.log(`Data request: ${data.dataRequestId}`),
  'operation.created': async (data) => console.log(`Operation created: ${data.operationId}`),
  'operation.cancelled': async (data) => console.log(`Operation cancelled: ${data.operationId}`),
};

const server = app.listen(Number(process.env.PORT || 3000), process.env.HOST || '127.0.0.1', () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}${PATH}`);
});
