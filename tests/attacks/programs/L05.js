// Everything by which node's start can be bent, left in the box; a second node of the same job shows that it works.
const fs = require('fs');
const { spawnSync } = require('child_process');
fs.writeFileSync('/box/evil.js', "console.log('evil ran in ' + process.pid); globalThis.evil = true;\n");
fs.writeFileSync('/box/package.json', '{"name": "x", "type": "module", "main": "/etc/shadow", "imports": {"#x": "/etc/passwd"}}');
fs.mkdirSync('/box/node_modules/fs', { recursive: true });
fs.writeFileSync('/box/node_modules/fs/index.js', "console.log('shadow of fs');\n");
fs.mkdirSync('/box/node_modules/leftpad', { recursive: true });
fs.writeFileSync('/box/node_modules/leftpad/index.js', "console.log('own package');\n");
fs.writeFileSync('/box/.noderc', 'x');
fs.writeFileSync('/box/.npmrc', 'node-options=--require /box/evil.js');
fs.writeFileSync('/box/small.cjs', "require('fs'); require('leftpad'); console.log('second', globalThis.evil === true);\n");
const r = spawnSync(process.execPath, ['/box/small.cjs'], { env: { NODE_OPTIONS: '--require /box/evil.js' }, encoding: 'utf8' });
console.log(r.stdout.replace(/in \d+/, 'in PID').trim());
console.log('options', process.env.NODE_OPTIONS, process.execArgv.some((a) => a.includes('require')));
