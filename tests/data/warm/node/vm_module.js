const vm = require('vm');
console.log(vm.runInNewContext('a + 1', { a: 1 }), eval('1 + 1'), new Function('return this === globalThis')());
try { vm.runInThisContext('throw new Error("x")', 'named.js'); } catch (e) { console.log(e.stack); }
const inspector = require('util').inspect; console.log(inspector(module, { depth: 0 }).slice(0, 10));
