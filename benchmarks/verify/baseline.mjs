// Verifies a file of delivery records as one would write it in Node in five
// minutes: a line at a time, JSON.parse, crypto. It is what "m2m verify" is
// measured against, and meant to stay plain.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

const secret = process.env.M2M_WEBHOOK_SECRET;

function header(record, name) {
  return record.request.headers.find((h) => h.name.toLowerCase() === name)?.value ?? "";
}

function valid(record) {
  const computed = "sha256=" + createHmac("sha256", secret)
    .update(header(record, "x-m2m-timestamp") + "." + record.request.body)
    .digest("hex");
  const received = header(record, "x-m2m-signature");
  return computed.length === received.length && timingSafeEqual(Buffer.from(computed), Buffer.from(received));
}

let good = 0;
let bad = 0;
for await (const line of createInterface({ input: createReadStream(process.argv[2]), crlfDelay: Infinity })) {
  if (valid(JSON.parse(line))) good++;
  else bad++;
}
const checked = good + bad;
console.log(`${checked} checked: ${good} valid, ${bad} INVALID`);
