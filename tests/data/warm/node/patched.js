const Module = require('module');
const load = Module._load;
Module._load = function (request) { console.log('load', request); return load.apply(this, arguments); };
require('os'); require('util');
console.log(Module.prototype === module.constructor.prototype, module.constructor === Module, Object.keys(Module._cache), Object.keys(Module._pathCache));
