const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) {
  const results = [], kinds = [{}, { env: { A: 'b' } }, { execArgv: [] }, { stdout: false }];
  let left = kinds.length;
  for (const options of kinds)
    new Worker(__filename, { ...options, workerData: Object.keys(options) }).on('message', (m) => results.push(m))
      .on('exit', () => { if (--left === 0) console.log(results.sort()); });
} else {
  parentPort.postMessage(workerData + ' ' + [require.main === module, module.id, process.argv.length, process.env.HOME !== undefined]);
}
