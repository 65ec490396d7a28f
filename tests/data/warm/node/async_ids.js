const h = require('async_hooks');
const a = h.executionAsyncId(), b = new h.AsyncResource('x').asyncId();
setTimeout(() => require('fs').writeSync(1, `${a} ${b} ${h.executionAsyncId()} ${h.triggerAsyncId()}\n`), 1);
