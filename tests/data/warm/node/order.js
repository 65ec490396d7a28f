setTimeout(() => console.log('timeout'), 0);
setImmediate(() => setImmediate(() => console.log('immediate 2')));
process.nextTick(() => console.log('tick'));
Promise.resolve().then(() => console.log('micro')).then(() => console.log('micro 2'));
queueMicrotask(() => console.log('queued'));
(async () => { await null; console.log('awaited'); process.nextTick(() => console.log('tick 2')); })();
console.log('sync');
