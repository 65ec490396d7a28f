// Changes all that a later program of the same runtime could see, if there were one.
const fs = require('fs');
for (const folder of ['/box', '/tmp', '/dev/shm']) fs.writeFileSync(folder + '/left', 'left');
globalThis.left = Object.prototype.left = Array.prototype.left = 'left';
JSON.stringify = () => 'left';
fs.left = require('path').left = process.left = 'left';
process.env.LEFT = 'left';
process.chdir('/tmp');
process.umask(0);
process.title = 'left';
Math.random = () => 0.5;
process.on('SIGTERM', () => {});
require('child_process').spawn('/bin/sh', ['-c', 'sleep 1000'], { detached: true, stdio: 'ignore' }).unref();
console.log('defiled');
process.reallyExit(0);
