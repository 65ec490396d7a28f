console.log('sleeping');
setTimeout(() => console.log('awake'), 60000);
