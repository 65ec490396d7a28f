const fs = require('fs');
const fd = fs.openSync('/dev/null');
console.log(fd, fs.openSync('/dev/null'));
console.log(fs.readdirSync('/proc/self/fd').map(Number).filter((n) => n !== 0).sort((a, b) => a - b));
try { fs.fstatSync(3) && console.log('3 is there'); } catch (e) { console.log(e.code); }
