const n = JSON.parse(require('fs').readFileSync(0));
console.log(JSON.stringify(n, null, 2), structuredClone(n));
JSON.parse('{bad');
