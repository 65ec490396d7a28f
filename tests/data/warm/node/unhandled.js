setTimeout(() => console.log('never seen'), 1000);
Promise.reject(new RangeError('nobody cares'));
