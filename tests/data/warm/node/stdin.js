let all = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (d) => { all += d; });
process.stdin.on('end', () => console.log(all.length, all.split('\n').length, all.slice(-20), process.stdin.fd, process.stdin.constructor.name));
