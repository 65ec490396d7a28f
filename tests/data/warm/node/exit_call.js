process.on('exit', (c) => console.log('exit', c));
setTimeout(() => console.log('never'), 0);
process.exit(3);
