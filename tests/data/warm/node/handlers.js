process.on('uncaughtException', (e, origin) => console.log('caught', e.message, origin));
process.on('unhandledRejection', (e) => console.log('rejected', e));
process.on('warning', (w) => console.log('warning', w.name, w.message));
setImmediate(() => { throw new Error('later'); });
Promise.reject('why');
process.emitWarning('careful', 'OwnWarning');
