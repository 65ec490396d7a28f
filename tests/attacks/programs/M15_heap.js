require('fs').writeSync(1, 'allocating\n');
const kept = [];
for (let i = 0;; i++) kept.push({ i, text: 'text ' + i, list: [i, i + 1, i + 2] });
