const { Worker, isMainThread, threadId } = require('worker_threads');
const inside = `
  const { parentPort, threadId } = require('worker_threads');
  parentPort.postMessage([threadId, process.argv, process.execArgv, process._preload_modules, Object.keys(require.cache),
    Object.keys(require('module')._pathCache), process.env]);
  parentPort.once('message', () => { throw new Error('in the worker'); });`;
const w = new Worker(inside, { eval: true, argv: ['x'] });
w.on('message', (m) => { console.log(m); w.postMessage('go on'); });
w.on('error', (e) => console.log(e.message, e.stack.split('\n')[1]));
w.on('exit', (c) => console.log('exit', c, isMainThread, threadId));
