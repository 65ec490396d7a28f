const words = require('fs').readFileSync('/proc/self/cmdline', 'utf8').split('\0');
console.log(words.slice(0, 1), words.at(-1) === '', process.argv, process.execArgv, process.argv0, process.title);
