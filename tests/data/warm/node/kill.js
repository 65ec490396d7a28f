console.log('bye');
process.kill(process.pid, 'SIGKILL');
setInterval(() => {}, 1000);
