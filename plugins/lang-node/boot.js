// boot.js - Node.js started ahead of its job.  Preloaded (--require), so that everything after it is
// node's own: it makes ready what can be, waits for the job, and returns; node then looks for
// main.js, which is there by now, and runs it as it would have.
//
// What it must not do is to leave a trace.  Nothing is printed; no handle is opened and no tick is queued
// (their numbers can be seen in async_hooks); what tells of it is set back: the environment, the cache of
// modules, the arguments, and how long the process has been there.  A Worker of the program preloads this file
// once more, which is why it has to stay where it is; there it only forgets itself.
'use strict';

const fs = require('fs');
const Module = module.constructor; // require('module') would load what nobody needs

const READY = 1, ARGV = 2, GO = 4, FRAME_MAX = 64 << 20;

function forgetThisFile() {
  delete require.cache[__filename];
  for (const key of Object.keys(Module._pathCache || {}))
    if (Module._pathCache[key] === __filename)
      delete Module._pathCache[key];
  Object.defineProperty(process, '_preload_modules',
    { __proto__: null, value: [], writable: false, enumerable: true, configurable: true });
}

// ---- before the job ------------------------------------------------------------------------

// What a first console.log() has to load and compile, by way of a socket that is none: it connects for ever, so
// nothing of a write is left to be done later.  More than this costs every job more cpu than it saves one of time.
function warmOutput() {
  const { Socket } = require('net');
  const { format } = require('util');
  const stream = new Socket({ handle: { getAsyncId: () => 1, close() {} }, readable: false, writable: true });

  stream.connecting = true;
  stream.write(format('text', 1));
}

// ---- the job -----------------------------------------------------------------------------------

// The worker has gone, or says what was never agreed: nobody is there to be told.
function giveUp() {
  process.reallyExit(1);
}

function readAll(fd, length) {
  const bytes = Buffer.alloc(length);

  for (let at = 0; at < length;) {
    const n = fs.readSync(fd, bytes, at, length - at, null);

    if (n === 0)
      giveUp();
    at += n;
  }
  return bytes;
}

function readFrame(fd) {
  const head = readAll(fd, 8), length = head.readUInt32LE(4);

  if (length > FRAME_MAX)
    giveUp();
  return { kind: head.readUInt32LE(0), body: readAll(fd, length) };
}

// The words of the cold command behind main.js are the program's.  Those before it are ours, or it is not for us.
function takeArguments(body) {
  const words = body.toString('utf8').split('\0'), count = process.execArgv.length;

  words.pop();
  if (words.slice(1, 1 + count).join('\0') !== process.execArgv.join('\0'))
    giveUp();
  process.argv.push(...words.slice(2 + count));
}

function waitForJob(fd) {
  const ready = Buffer.alloc(8);

  ready.writeUInt32LE(READY, 0);
  fs.writeSync(fd, ready);
  for (;;) {
    const frame = readFrame(fd);

    if (frame.kind === GO)
      break;
    if (frame.kind !== ARGV)
      giveUp();
    takeArguments(frame.body);
  }
  fs.closeSync(fd);
}

// ---- as if it had started now ------------------------------------------------------------------

// What `holder`, or whom it inherits from, says by this name is so much more; a function stays one that looks the same.
function add(holder, name, by) {
  const more = { apply: (target, self, args) => Reflect.apply(target, self, args) + by };
  const property = Object.getOwnPropertyDescriptor(holder, name);

  if (property === undefined) {
    if (Object.getPrototypeOf(holder) !== null)
      add(Object.getPrototypeOf(holder), name, by);
    return;
  }
  if (typeof property.get === 'function')
    property.get = new Proxy(property.get, more);
  else if (typeof property.value === 'function')
    property.value = new Proxy(property.value, more);
  else
    property.value += by;
  Object.defineProperty(holder, name, property);
}

function forgetWaiting(milliseconds) {
  add(process, 'uptime', -milliseconds / 1000);
  add(performance, 'now', -milliseconds);
  add(performance, 'timeOrigin', milliseconds);
}

function main() {
  const fd = Number(process.env.EXECD_BOOT_FD);
  let began;

  delete process.env.EXECD_BOOT_FD;
  delete process.env.NODE_OPTIONS;
  warmOutput();
  began = process.uptime();
  waitForJob(fd);
  forgetWaiting((process.uptime() - began) * 1000);
}

forgetThisFile();
if (process.env.EXECD_BOOT_FD !== undefined)
  main();
