(async () => {
  const rl = require('readline').createInterface({ input: process.stdin, output: process.stdout });
  for await (const line of rl) console.log(line.toUpperCase());
})();
