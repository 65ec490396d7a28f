console.log(process.stdout.isTTY, process.stdout.constructor.name, process.stdout.fd, process.stdout.writable, process.stdout._type);
console.log(process.stderr.isTTY, process.stderr.constructor.name, process.stdout.writableHighWaterMark, process.stdout.columns);
console.log(process.stdout.writableLength, process.stdout.writableNeedDrain, process.stdout.listenerCount('drain'), process.stdout.eventNames());
console.log(process.getActiveResourcesInfo());
process.stdout.on('finish', () => console.error('finish'));
process.stdout.end('bye\n');
