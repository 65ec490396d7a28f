console.log(Math.random());
console.log(require('crypto').randomBytes(8).toString('hex'));
console.log(require('crypto').randomUUID());
