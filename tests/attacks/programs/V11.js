console.log('begin');
setTimeout(() => console.log('end'), Number(process.argv[2]));
