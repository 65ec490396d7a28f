function deep(n) {
  if (n === 0) throw new TypeError('no\nsuch thing \u20ac');
  deep(n - 1);
}
console.log('before');
deep(4);
