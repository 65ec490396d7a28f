const t = Date.now();
let n = 0;
const i = setInterval(() => {
  console.log('interval', ++n);
  if (n < 3) return;
  clearInterval(i);
  setTimeout(() => { const d = Date.now() - t; console.log(d >= 50 && d < 5000); }, 50);
}, 1);
