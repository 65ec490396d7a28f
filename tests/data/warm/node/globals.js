console.log(Object.getOwnPropertyNames(globalThis).sort().join(' '));
console.log(Object.keys(globalThis), Object.keys(process).join(' '));
console.log(process.eventNames(), process.listenerCount('exit'), process.listenerCount('newListener'));
console.log(Object.getOwnPropertyNames(require('module')).sort().join(' '), require('module').builtinModules.length);
console.log(typeof process.binding, process.features, process.config.variables.napi_build_version);
console.log(Error.stackTraceLimit, Object.isFrozen(console), console._stdout === process.stdout);
