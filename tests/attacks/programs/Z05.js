// Leaves all that it can, in the hope of another job in the same cell.
const fs = require('fs');
fs.writeFileSync('/box/kept', 'kept');
require('child_process').spawn('/bin/sh', ['-c', 'trap "" TERM HUP; while :; do sleep 1; done'], { detached: true, stdio: 'ignore' }).unref();
process.on('exit', () => console.log('ends'));
