// Tokens as Cloudflare Access makes them, and as forgers would: its keys and each token by name, as JSON.
// Arguments: the team's issuer, the application's audience.

import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

const [issuer, audience] = process.argv.slice(2);
const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const [ours, theirs] = [pair(), pair()];
const jwk = ours.publicKey.export({ format: 'jwk' });
const now = Math.floor(Date.now() / 1000);
const claims = { aud: [audience], email: 'ada@acme.example', exp: now + 3600, iat: now, nbf: now, iss: issuer, type: 'app', sub: 'u1', country: 'FR' };
const header = { alg: 'RS256', kid: 'k1', typ: 'JWT' };

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const text = (head, body) => `${part(head)}.${part(body)}`;
const rsa = (key, signed, hash = 'sha256') => `${signed}.${sign(hash, Buffer.from(signed), key).toString('base64url')}`;
const made = (changes = {}, head = header, key = ours.privateKey) => rsa(key, text(head, { ...claims, ...changes }));
const hmac = (secret) => {
  const signed = text({ ...header, alg: 'HS256' }, claims);
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};

const good = made();
const signature = good.split('.')[2];
const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
const tokens = { good, bob: made({ email: 'bob@acme.example' }), 'of two audiences': made({ aud: ['other', audience] }) };
const forged = {
  expired: made({ exp: now - 1 }),
  'not yet': made({ nbf: now + 600 }),
  'no end': made({ exp: undefined }),
  'wrong audience': made({ aud: ['other'] }),
  'no audience': made({ aud: undefined }),
  'wrong issuer': made({ iss: 'https://evil.cloudflareaccess.com' }),
  'nobody in it': made({ email: '', sub: '' }),
  'signed by another key': made({}, header, theirs.privateKey),
  'of a key nobody has': made({}, { ...header, kid: 'k9' }),
  'its own key inside': made({}, { ...header, jwk: theirs.publicKey.export({ format: 'jwk' }) }, theirs.privateKey),
  'alg none': `${text({ ...header, alg: 'none' }, claims)}.`,
  'alg none with a signature': `${text({ ...header, alg: 'none' }, claims)}.${signature}`,
  'HS256 with the public key': hmac(ours.publicKey.export({ type: 'spki', format: 'pem' })),
  'HS256 with the modulus': hmac(Buffer.from(jwk.n, 'base64url')),
  'another hash': rsa(ours.privateKey, text({ ...header, alg: 'RS512' }, claims), 'sha512'),
  'another hash that calls itself RS256': rsa(ours.privateKey, text(header, claims), 'sha512'),
  'a changed signature': `${good.slice(0, -signature.length)}${flipped}`,
  'another person with this signature': `${text(header, { ...claims, email: 'eve@evil.example' })}.${signature}`,
  'no signature': good.slice(0, -signature.length - 1),
  nonsense: 'nonsense',
  empty: '',
};
console.log(JSON.stringify({ certs: { keys: [{ ...jwk, kid: 'k1', alg: 'RS256', use: 'sig' }] }, tokens, forged }));
