console.log('soon');
process.abort();
