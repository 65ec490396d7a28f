// Opens a debugger where another job could reach it, and then looks for one.
const net = require('net');
const say = (what, f) => {
  try {
    f();
    console.log(`${what} done`);
  } catch (e) {
    console.log(`${what} ${e.code || e.message}`);
  }
};
say('debug init', () => process._debugProcess(1));
say('signal', () => process.kill(process.pid, 'SIGUSR1'));
say('open', () => require('inspector').open(9229, '127.0.0.1'));
say('open any', () => require('inspector').open(0, '0.0.0.0'));
say('url', () => console.log(`url ${require('inspector').url()}`));
const end = Date.now() + 1000;
const found = new Set();
const look = () => {
  const s = net.connect(9229, '127.0.0.1');
  s.on('connect', () => { found.add('connected'); s.destroy(); });
  s.on('error', (e) => found.add(e.code));
  if (Date.now() < end) setTimeout(look, 50);
  else setTimeout(() => { console.log(`connect ${[...found].sort().join(' ')}`); process.exit(0); }, 100);
};
console.log(`begun ${Date.now()}`);
look();
process.on('exit', () => console.log(`ended ${Date.now()}`));
