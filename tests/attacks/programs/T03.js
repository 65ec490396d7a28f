let handled = 0;
for (const name of ['SIGTERM', 'SIGXCPU', 'SIGALRM', 'SIGHUP', 'SIGINT', 'SIGQUIT']) {
  process.on(name, () => {});
  handled += process.listenerCount(name);
}
require('fs').writeSync(1, 'handled ' + handled + '\n');
for (;;);
