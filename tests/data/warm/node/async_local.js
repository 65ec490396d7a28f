const { AsyncLocalStorage } = require('async_hooks');
const s = new AsyncLocalStorage();
s.run({ id: 1 }, () => setTimeout(() => Promise.resolve().then(() => console.log(s.getStore())), 1));
console.log(s.getStore());
