require('fs').writeSync(1, 'allocating\n');
const kept = [];
for (;;) kept.push(Buffer.alloc(1 << 20, 1));
