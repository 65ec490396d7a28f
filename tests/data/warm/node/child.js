const { execFileSync, spawnSync, fork } = require('child_process');
console.log(execFileSync('/bin/sh', ['-c', 'echo $0; env; ls /proc/self/fd'], { env: process.env }).toString().replace(/^\d+$/gm, '#').split('\n').sort().join('\n'));
console.log(spawnSync(process.execPath, ['-p', 'process.argv.length + process.execArgv.join()']).stdout.toString());
if (process.argv[2] !== 'child') {
  const c = fork(__filename, ['child']);
  c.on('message', (m) => console.log('from the child', m));
  c.on('exit', (code) => console.log('exit', code));
} else {
  process.send([process.execArgv, process.env.NODE_OPTIONS, process.argv]);
  process.disconnect();
}
