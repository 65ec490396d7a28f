const fs = require('fs');
console.log(Object.getOwnPropertyNames(globalThis).sort().join(' '));
for (const o of [fs, require('path'), process, Object.prototype, Array.prototype, JSON, Math])
  console.log(Object.getOwnPropertyNames(o).sort().join(' '));
console.log(JSON.stringify(process.env), process.cwd(), process.umask(), process.title, process.execArgv, process.listenerCount('SIGTERM'));
console.log(['/box', '/tmp', '/dev/shm'].map((d) => fs.readdirSync(d).sort().join(' ')).join(', '), Object.keys(require.cache).join(' '));
console.log(fs.readdirSync('/proc').filter((p) => /^\d+$/.test(p)).length, Math.random.toString());
console.log(fs.readFileSync('/proc/self/maps', 'utf8').split('\n').filter((l) => / .w.s /.test(l)).length);
