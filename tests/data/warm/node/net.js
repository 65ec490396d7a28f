const net = require('net');
try {
  const s = net.createServer().listen(0, () => { console.log('listening'); s.close(); });
  s.on('error', (e) => console.log(e.code, e.syscall));
} catch (e) { console.log(e.code); }
