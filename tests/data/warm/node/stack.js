console.log(new Error('here').stack);
Error.stackTraceLimit = 50;
console.log(new Error('whole').stack);
setTimeout(function later() { console.log(new Error('timer').stack); }, 1);
process.nextTick(() => console.log(new Error('tick').stack));
(async function f() { await 1; console.log(new Error('async').stack); })();
Error.prepareStackTrace = (e, frames) => frames.map((f) => f.getFileName() + ':' + f.getLineNumber() + ':' + f.getFunctionName());
console.log(new Error('frames').stack);
