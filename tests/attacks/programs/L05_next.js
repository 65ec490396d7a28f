const fs = require('fs');
console.log(fs.readdirSync('/box').sort().join(' '), globalThis.evil, process.env.NODE_OPTIONS);
