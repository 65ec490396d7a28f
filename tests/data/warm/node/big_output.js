for (let i = 0; i < 20000; i++) console.log('line', i, 'and some more words to fill the pipe');
process.stdout.write('x'.repeat(1 << 20) + '\n', () => console.error('written'));
