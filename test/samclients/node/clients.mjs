// Streams and datagrams both ways between clients of @diva.exchange/i2p-sam.
//
//     node clients.mjs HOST PORT UDPPORT
import { createDatagram, createForward, createRaw, createStream, lookup } from '@diva.exchange/i2p-sam';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

const [host, port, udpPort] = process.argv.slice(2);
const sam = { host, portTCP: Number(port), portUDP: Number(udpPort), timeout: 60 };
const one = { options: 'inbound.quantity=1 outbound.quantity=1 i2cp.leaseSetEncType=4' };
const open = [];

// kept is a client that is closed at the end. What goes wrong with it ends all.
async function kept(client) {
  client = await client;
  client.on('error', (error) => { throw error; });
  open.push(client);
  return client;
}

// collected resolves to the bytes that a client gets, once there are so many.
function collected(client, size) {
  return new Promise((resolve) => {
    const parts = [];
    let got = 0;
    client.on('data', (data) => {
      parts.push(data);
      got += data.length;
      if (got >= size) resolve(Buffer.concat(parts));
    });
  });
}

async function streams() {
  // The server sends back what it gets, each byte changed, so that nobody hears himself.
  const server = net.createServer((c) => {
    c.on('data', (data) => c.write(data.map((b) => b ^ 0xff)));
    c.on('error', () => c.destroy()); // the library ends streams by a reset
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const forward = { host: '127.0.0.1', port: server.address().port, silent: true };
  const there = await kept(createForward({ sam, session: { ...one }, forward }));
  const here = await kept(createStream({ sam, session: { ...one }, stream: { destination: there.getPublicKey() } }));
  const sent = crypto.randomBytes(200_000);
  const back = collected(here, sent.length);
  here.stream(sent);
  assert.deepEqual(await back, sent.map((b) => b ^ 0xff));
  server.close();
  console.log('node: streams both ways');
}

async function names() {
  const destination = await lookup({ sam }, 'zzz.i2p');
  const site = await kept(createStream({ sam, session: { ...one }, stream: { destination } }));
  const page = collected(site, 1);
  site.stream(Buffer.from('GET / HTTP/1.0\r\nHost: zzz.i2p\r\n\r\n'));
  assert.match((await page).toString(), /^HTTP\/1\.[01] 200 /);
  console.log('node: a site by its name');
}

// freePort is a UDP port that nobody had just now: the library must be told one.
async function freePort() {
  const socket = dgram.createSocket('udp4');
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

const listening = async () => ({ sam, session: { ...one }, listen: { address: '127.0.0.1', port: await freePort() } });

// heard sends until it is heard, since datagrams may be lost.
async function heard(to, send) {
  const resend = setInterval(send, 1000);
  send();
  const [data, from] = await once(to, 'data');
  clearInterval(resend);
  return [data.toString(), from];
}

async function datagrams() {
  const a = await kept(createDatagram(await listening()));
  const b = await kept(createDatagram(await listening()));
  const [ping, line] = await heard(b, () => a.send(b.getPublicKey(), Buffer.from('ping')));
  assert.equal(ping, 'ping');
  const [from] = line.split(' '); // ports follow since SAM 3.2, which the library does not know
  assert.equal(from.replace(/=+$/, ''), a.getPublicKey().replace(/=+$/, '')); // it drops the padding
  const [pong] = await heard(a, () => b.send(from, Buffer.from('pong')));
  assert.equal(pong, 'pong');
  console.log('node: datagrams both ways');
}

async function raw() {
  const a = await kept(createRaw(await listening()));
  const b = await kept(createRaw(await listening()));
  assert.equal((await heard(b, () => a.send(b.getPublicKey(), Buffer.from('there'))))[0], 'there');
  assert.equal((await heard(a, () => b.send(a.getPublicKey(), Buffer.from('back'))))[0], 'back');
  console.log('node: raw datagrams both ways');
}

await Promise.all([streams(), names(), datagrams(), raw()]);
for (const client of open) client.close();
