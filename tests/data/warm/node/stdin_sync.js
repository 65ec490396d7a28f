const fs = require('fs');
const text = fs.readFileSync(0, 'utf8');
console.log(text.split('\n').map(Number).reduce((a, b) => a + b));
console.log(fs.readFileSync('/dev/stdin', 'utf8').length);
