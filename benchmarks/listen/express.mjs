// Receives webhooks with Express: it reads the body, computes one HMAC, writes one line
// of JSON about the delivery to stdout, and answers. It judges no timestamp and explains
// nothing: what one would write without thinking about speed.
//
//   node express.mjs READY   (READY is the file to write the URL to)

import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import express from '../../examples/express/node_modules/express/index.js';

const secret = process.env.M2M_WEBHOOK_SECRET;
const app = express();
app.disable('x-powered-by');

app.post('/webhooks/m2m', express.raw({ type: () => true, limit: '1mb' }), (req, res) => {
  const hmac = createHmac('sha256', secret).update(`${req.get('X-M2M-Timestamp')}.`).update(req.body);
  const computed = Buffer.from(`sha256=${hmac.digest('hex')}`);
  const received = Buffer.from(req.get('X-M2M-Signature') ?? '');
  const valid = computed.length === received.length && timingSafeEqual(computed, received);
  const body = req.body.toString();
  process.stdout.write(`${JSON.stringify({
    type: 'delivery', id: randomUUID(), time: new Date().toISOString(), event: JSON.parse(body).event,
    request: { method: req.method, url: req.originalUrl, headers: req.headers, body },
    verification: { valid },
  })}\n`);
  res.status(valid ? 200 : 401).type('text/plain').send(valid ? 'OK' : 'Invalid signature');
});

const server = app.listen(0, '127.0.0.1', () => {
  writeFileSync(process.argv[2], `http://127.0.0.1:${server.address().port}/\n`);
});
