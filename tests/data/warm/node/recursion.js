let depth = 0;
function f() { depth++; f(); }
try { f(); } catch (e) { console.log(e instanceof RangeError, e.message, depth > 5000); }
function g(a) { return a === 0 ? 0 : 1 + g(a - 1); }
console.log(g(7000));
