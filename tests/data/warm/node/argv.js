console.log(process.argv, process.argv0, process.execArgv, process.execPath, process.title);
console.log(process._preload_modules, process.cwd(), process.env);
console.log(require('fs').readFileSync('/proc/self/cmdline').toString().split('\0').slice(0, 3));
