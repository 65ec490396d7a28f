console.log('\u00e4\u20ac\u{1f600}', 'e\u0301'.normalize('NFC').length, 'stra\u00dfe'.toUpperCase(), '\ud800');
console.log(new Intl.NumberFormat('de').format(1234.5), 'a'.localeCompare('B'), new Date(0).toLocaleString('en-US', { timeZone: 'UTC' }));
process.stdout.write(Buffer.from([0xff, 0xfe, 0, 10]));
