// Checks the lines to copy, verify, against m2m's vectors: m2m events --vectors | node check.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

function verify(secret, timestamp, body, signature) {
  if (!/^[0-9]+$/.test(timestamp ?? "") || BigInt(timestamp) >= 2n ** 63n) return false;
  const mac = createHmac("sha256", secret).update(timestamp + ".").update(body).digest("hex");
  const want = Buffer.from("sha256=" + mac), got = Buffer.from(signature ?? "");
  return got.length === want.length && timingSafeEqual(got, want);
}

const vectors = JSON.parse(readFileSync(process.argv[2] ?? 0, "utf8"));
const wrong = vectors.filter(
  (v) => verify(v.secret, v.timestamp, Buffer.from(v.body ?? v.bodyBase64, v.bodyBase64 ? "base64" : "utf8"), v.signature) !== v.valid,
);
for (const v of wrong) console.log(`wrong: ${v.name}`);
console.log(`${vectors.length} vectors, ${wrong.length} wrong`);
process.exitCode = wrong.length > 0 || vectors.length === 0 ? 1 : 0;
