console.log('after a byte order mark');
