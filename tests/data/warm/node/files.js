const fs = require('fs');
console.log(fs.readdirSync('.'), fs.readdirSync(process.env.HOME));
fs.writeFileSync('a.txt', 'x'.repeat(100000));
fs.promises.readFile('a.txt').then((b) => { console.log(b.length); return fs.promises.unlink('a.txt'); });
fs.mkdirSync('lib');
fs.writeFileSync('lib/a.js', 'exports.b = require("./b"); exports.up = module.parent.id;');
fs.writeFileSync('lib/b.js', 'exports.name = __filename; exports.paths = module.paths;');
console.log(require('./lib/a'));
console.log(Object.keys(require.cache), module.children.map((c) => c.id));
fs.writeFileSync('data.json', '{"a": [1, 2]}');
console.log(require('./data'));
try { require('./nothing'); } catch (e) { console.log(e.message, e.code, e.requireStack); }
