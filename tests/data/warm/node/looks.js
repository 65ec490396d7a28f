console.log(process.uptime.name, process.uptime.length, process.uptime);
console.log(performance.now.name, performance.now.length, performance.now, Object.getOwnPropertyNames(performance));
console.log(process.uptime() < 5, performance.now() < 5000, Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 50);
console.log(Object.getOwnPropertyDescriptor(process, '_preload_modules'), Object.getOwnPropertyDescriptor(process, 'uptime'));
const before = performance.now();
setTimeout(() => console.log(performance.now() - before > 4, performance.now() - before < 5000), 5);
