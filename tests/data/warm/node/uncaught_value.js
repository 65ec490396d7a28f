throw { a: 1, toString() { return 'x'; } };
