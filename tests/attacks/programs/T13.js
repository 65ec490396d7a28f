console.log('read', require('fs').readSync(0, Buffer.alloc(1), 0, 1, null));
