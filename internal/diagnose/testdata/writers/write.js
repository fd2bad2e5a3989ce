// Reads documents in base64, one a line, and writes for each a line of its spellings in base64.
const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(",")}}`;
};
const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((k) => [k, sorted(value[k])]));
};
const input = require("fs").readFileSync(0, "utf8");
for (const line of input.trimEnd().split("\n")) {
  const value = JSON.parse(Buffer.from(line, "base64").toString("utf8"));
  const texts = [
    JSON.stringify(value),
    JSON.stringify(value, null, 2),
    JSON.stringify(value, null, 4),
    JSON.stringify(value, null, "\t"),
    canonical(value),
    JSON.stringify(sorted(value)),
    JSON.stringify(sorted(value), null, 2),
  ];
  console.log(texts.map((t) => Buffer.from(t, "utf8").toString("base64")).join(" "));
}
