const again = () => Promise.resolve().then(again);
again();
setTimeout(() => { console.log('a timer ran'); process.exit(0); }, 10);
