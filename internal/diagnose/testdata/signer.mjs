// Makes captures that are broken as people break them in Node.js, and says of each
// what is wrong with it. Reads one JSON object, writes one line of JSON a capture.
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const { bodies, secret, staging, timestamp } = JSON.parse(readFileSync(0, 'utf8'))
const now = Number(timestamp) * 1000 // Date.now()

// A plan is a delivery as it is signed and as it is given to verify. A mistake changes
// one or the other, and returns false where it makes no difference.
const start = (body, sample) => ({
  body, sample, secret, timestamp, words: [],
  signed: body, key: secret, stamp: timestamp, separator: '.',
  content() { return Buffer.concat([Buffer.from(this.stamp + this.separator), this.signed]) },
  mac(key, content) { return createHmac('sha256', key).update(content).digest() },
  write: mac => 'sha256=' + mac.toString('hex'),
})

const given = f => p => {
  const before = p.body
  p.body = Buffer.from(f(p.body.toString()))
  return !p.body.equals(before)
}
const key = make => p => { p.secret = make(p.secret) }
const hash = content => createHash('sha256').update(content).digest()

const parse = body => { try { return JSON.parse(body) } catch { return undefined } }

// The signature is made over the parsed body, written again.
const rewrites = (write, ...words) => p => {
  const value = parse(p.signed)
  if (value === undefined) return false
  const text = write(value)
  if (text === p.body.toString().replaceAll('\r\n', '\n').trimEnd()) return false
  if (p.body.includes(': 100.00')) p.words.push('numbers as 100 for 100.00')
  p.words.push(...words)
  p.signed = Buffer.from(text)
}
// The capture is made of the parsed body, written again.
const captured = write => p => {
  if (!p.sample) return false
  p.body = Buffer.from(write(parse(p.body)))
  p.words.push('two-space')
  if (p.signed.includes(': 100.00')) p.words.push('numbers as 100.00 for 100')
  return !p.body.equals(p.signed)
}
const sorted = (key, value) => value?.constructor === Object
  ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  : value

const html = text => text.replace(/[<>&\u2028\u2029]/g, c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))
const ascii = text => text.replace(/[^\0-\x7f]/g, c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))

const mistakes = {
  'an editor adds a newline': ['trailing-newline', given(text => text + '\n')],
  'console.log adds a newline on Windows': ['trailing-newline', given(text => text + '\r\n')],
  'trim() takes the newline off': ['missing-newline', p => {
    if (!p.signed.toString().endsWith('\n')) return false
    p.body = Buffer.from(p.body.toString().trimEnd())
  }],
  'the signer signs a line': ['missing-newline', p => { p.signed = Buffer.concat([p.signed, Buffer.from('\n')]) }],
  'the signer signs a line on Windows': ['missing-newline', p => { p.signed = Buffer.concat([p.signed, Buffer.from('\r\n')]) }],
  'git checks it out on Windows': ['crlf', given(text => text.replace(/\r?\n/g, '\r\n'))],
  'git checks a file of Windows in': ['lf', given(text => text.replaceAll('\r\n', '\n'))],
  'saved as UTF-8 with BOM': ['bom', given(text => '\ufeff' + text)],

  'JSON.stringify(JSON.parse(body))': ['reserialized-json', rewrites(v => JSON.stringify(v), 'compact')],
  'JSON.stringify(req.body, null, 2)': ['reserialized-json', rewrites(v => JSON.stringify(v, null, 2), 'two-space')],
  'JSON.stringify with four spaces': ['reserialized-json', rewrites(v => JSON.stringify(v, null, 4), 'four-space')],
  'JSON.stringify with tabs': ['reserialized-json', rewrites(v => JSON.stringify(v, null, '\t'), 'tab')],
  'JSON.stringify with sorted keys': ['reserialized-json', rewrites(v => JSON.stringify(v, sorted), 'compact', 'sorted keys')],
  'slashes are escaped': ['reserialized-json', p => p.body.includes('/') && !p.body.includes('\\') &&
    rewrites(v => JSON.stringify(v).replaceAll('/', '\\/'), 'escaped slashes')(p)],
  'HTML is escaped': ['reserialized-json', p => /[<>&]/.test(p.body) &&
    rewrites(v => html(JSON.stringify(v)), 'HTML escapes')(p)],
  'all but ASCII is escaped': ['reserialized-json', p => /[^\0-\x7f]/.test(p.body) &&
    rewrites(v => ascii(JSON.stringify(v)), 'escaped non-ASCII')(p)],
  'the capture is JSON.stringify(req.body)': ['reserialized-json', captured(v => JSON.stringify(v))],
  'the capture is indented by a viewer': ['reserialized-json', p => {
    if (!p.sample) return false
    p.signed = Buffer.from(JSON.stringify(parse(p.signed)))
    p.body = Buffer.from(JSON.stringify(parse(p.signed), null, 2))
    p.words.push('compact')
  }],

  'the body is compressed': ['gzip-body', p => { p.body = gzipSync(p.body) }],
  'encodeURIComponent(body)': ['urlencoded-body', given(encodeURIComponent)],
  'new URLSearchParams({ payload: body })': ['urlencoded-body', p => {
    if (p.body.length === 0) return false
    p.body = Buffer.from(String(new URLSearchParams({ payload: p.body.toString() })))
  }],

  'a newline after the secret': ['secret-whitespace', key(s => s + '\n')],
  'a Windows newline after the secret': ['secret-whitespace', key(s => s + '\r\n')],
  'a space before the secret': ['secret-whitespace', key(s => ' ' + s)],
  'white space on both sides of the secret': ['secret-whitespace', key(s => '\t ' + s + ' \n')],
  'double quotes around the secret': ['secret-quoted', key(s => JSON.stringify(s))],
  'single quotes around the secret': ['secret-quoted', key(s => `'${s}'`)],
  'backticks around the secret': ['secret-quoted', key(s => '`' + s + '`')],
  "Buffer.from(secret, 'base64')": ['secret-base64', p => {
    p.secret = createHash('sha256').update('a').digest('base64')
    p.key = Buffer.from(p.secret, 'base64')
  }],
  "Buffer.from(secret, 'base64url')": ['secret-base64', p => {
    p.secret = createHash('sha256').update('url').digest('base64url')
    p.key = Buffer.from(p.secret, 'base64url')
  }],
  "Buffer.from(secret, 'base64') of a secret that is none": ['secret-base64', p => { p.key = Buffer.from(p.secret, 'base64') }],
  "Buffer.from(secret, 'base64') of words": ['secret-base64', p => {
    p.secret = 'Correct horse, battery staple!'
    p.key = Buffer.from(p.secret, 'base64')
  }],
  "Buffer.from(secret, 'hex')": ['secret-hex', p => {
    p.secret = createHash('sha256').update('a').digest('hex')
    p.key = Buffer.from(p.secret, 'hex')
  }],
  "Buffer.from(secret, 'hex') of capitals": ['secret-hex', p => {
    p.secret = createHash('sha1').update('a').digest('hex').toUpperCase()
    p.key = Buffer.from(p.secret, 'hex')
  }],
  'whsec_ before the secret': ['secret-prefix', key(s => 'whsec_' + s)],
  'two prefixes before the secret': ['secret-prefix', key(s => 'm2m_whsec_' + s)],

  'Date.now() is signed': ['timestamp-milliseconds', p => { p.stamp = String(now) }],
  'Date.now() is sent': ['timestamp-seconds', p => {
    p.timestamp = String(now + 789)
    p.stamp = String(Math.floor((now + 789) / 1000))
  }],
  'payload.timestamp is signed': ['timestamp-from-body', p => {
    const value = parse(p.signed)
    if (value?.timestamp === undefined) return false
    p.stamp = String(value.timestamp)
  }],
  'the body alone is signed': ['timestamp-missing-from-signed-content', p => { p.content = () => p.signed }],
  'timestamp + body': ['wrong-separator', p => { p.separator = '' }],
  '`${timestamp}:${body}`': ['wrong-separator', p => { p.separator = ':' }],
  "[timestamp, body].join('\\n')": ['wrong-separator', p => { p.separator = '\n' }],
  '`${timestamp}_${body}`': ['wrong-separator', p => { p.separator = '_' }],
  '`${timestamp}-${body}`': ['wrong-separator', p => { p.separator = '-' }],

  "digest('base64')": ['signature-base64', p => { p.write = mac => 'sha256=' + mac.toString('base64') }],
  "digest('base64url')": ['signature-base64', p => { p.write = mac => 'sha256=' + mac.toString('base64url') }],
  'toUpperCase() of the digits': ['signature-uppercase', p => { p.write = mac => 'sha256=' + mac.toString('hex').toUpperCase() }],
  'toUpperCase() of all': ['signature-uppercase', p => { p.write = mac => ('sha256=' + mac.toString('hex')).toUpperCase() }],
  'the digits alone': ['signature-without-prefix', p => { p.write = mac => mac.toString('hex') }],

  "createHmac('sha1')": ['wrong-algorithm', p => { p.mac = (key, content) => createHmac('sha1', key).update(content).digest() }],
  "createHmac('sha384')": ['wrong-algorithm', p => { p.mac = (key, content) => createHmac('sha384', key).update(content).digest() }],
  "createHmac('sha512')": ['wrong-algorithm', p => { p.mac = (key, content) => createHmac('sha512', key).update(content).digest() }],
  "createHmac('sha512'), written sha512=": ['wrong-algorithm', p => {
    p.mac = (key, content) => createHmac('sha512', key).update(content).digest()
    p.write = mac => 'sha512=' + mac.toString('hex')
  }],
  "createHash('sha256').update(content)": ['plain-hash', p => { p.mac = (key, content) => hash(content) }],
  "createHash('sha256').update(secret + content)": ['plain-hash', p => { p.mac = (key, content) => hash(Buffer.concat([Buffer.from(key), content])) }],
  "createHash('sha256').update(content + secret)": ['plain-hash', p => { p.mac = (key, content) => hash(Buffer.concat([content, Buffer.from(key)])) }],
  'the secret of staging': ['other-secret', p => { p.key = staging }],
  'a secret that nobody knows': ['unknown', p => { p.key = 'somebody else knows it' }],
}

const together = [
  ['double quotes around the secret', 'a newline after the secret'],
  ['a newline after the secret', 'single quotes around the secret'],
  ['JSON.stringify(JSON.parse(body))', 'Date.now() is signed'],
  ['the capture is JSON.stringify(req.body)', 'Date.now() is signed'],
  ['JSON.stringify(req.body, null, 2)', 'the body alone is signed'],
  ['JSON.stringify(JSON.parse(body))', '`${timestamp}:${body}`'],
  ['JSON.stringify(JSON.parse(body))', "digest('base64')"],
  ['JSON.stringify(JSON.parse(body))', 'double quotes around the secret'],
  ['JSON.stringify(JSON.parse(body))', 'a newline after the secret'],
  ['JSON.stringify(JSON.parse(body))', "Buffer.from(secret, 'base64')"],
  ['JSON.stringify(JSON.parse(body))', 'the secret of staging'],
  ['JSON.stringify(JSON.parse(body))', "createHmac('sha512')"],
  ['git checks it out on Windows', 'saved as UTF-8 with BOM'],
  ['git checks it out on Windows', 'console.log adds a newline on Windows'],
  ['git checks it out on Windows', 'an editor adds a newline'],
  ['an editor adds a newline', 'a newline after the secret'],
  ['an editor adds a newline', 'the body alone is signed'],
  ['an editor adds a newline', 'saved as UTF-8 with BOM'],
  ['an editor adds a newline', 'the body is compressed'],
  ['the signer signs a line', "Buffer.from(secret, 'base64')"],
  ['the signer signs a line', 'encodeURIComponent(body)'],
  ["Buffer.from(secret, 'base64')", 'whsec_ before the secret'],
  ["Buffer.from(secret, 'base64')", 'a newline after the secret'],
  ["Buffer.from(secret, 'hex')", "digest('base64')"],
  ["digest('base64')", 'the body alone is signed'],
  ['toUpperCase() of the digits', 'Date.now() is signed'],
  ["createHmac('sha1')", 'Date.now() is signed'],
  ["createHmac('sha512')", "digest('base64')"],
  ["createHash('sha256').update(content)", 'the body alone is signed'],
  ["createHash('sha256').update(secret + content)", 'timestamp + body'],
  ['Date.now() is signed', 'timestamp + body'],
  ['Date.now() is sent', 'the digits alone'],
  ['payload.timestamp is signed', '`${timestamp}:${body}`'],
  ['the secret of staging', 'Date.now() is signed'],
  ['JSON.stringify(JSON.parse(body))', 'the body is compressed'],
  ['JSON.stringify(JSON.parse(body))', 'Date.now() is signed', '`${timestamp}:${body}`'],
  ['JSON.stringify(JSON.parse(body))', 'the body alone is signed', "digest('base64')"],
  ['JSON.stringify(JSON.parse(body))', 'double quotes around the secret', 'a newline after the secret'],
  ['git checks it out on Windows', 'console.log adds a newline on Windows', 'saved as UTF-8 with BOM'],
  ['an editor adds a newline', 'a newline after the secret', 'Date.now() is signed'],
  ["Buffer.from(secret, 'base64')", 'whsec_ before the secret', 'double quotes around the secret'],
  ["Buffer.from(secret, 'base64')", 'whsec_ before the secret', 'double quotes around the secret', 'Date.now() is signed'],
  ["Buffer.from(secret, 'base64')", 'the body alone is signed', "digest('base64')"],
]

for (const { name, body, sample, pairs } of bodies) {
  for (const names of [...Object.keys(mistakes).map(mistake => [mistake]), ...(pairs ? together : [])]) {
    const plan = start(Buffer.from(body, 'base64'), sample)
    if (names.some(mistake => mistakes[mistake][1](plan) === false)) continue
    console.log(JSON.stringify({
      name: `${names.join(', ')}: ${name}`,
      causes: names.map(mistake => mistakes[mistake][0]),
      words: plan.words,
      secret: Buffer.from(plan.secret).toString('base64'),
      timestamp: plan.timestamp,
      signature: plan.write(plan.mac(plan.key, plan.content())),
      body: plan.body.toString('base64'),
    }))
  }
}
