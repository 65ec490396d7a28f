process.on('SIGUSR2', (s, n) => { console.log(s, n); clearInterval(i); });
const i = setInterval(() => {}, 1000);
process.kill(process.pid, 'SIGUSR2');
