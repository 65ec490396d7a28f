console.log(require.main === module, module.id, module.filename, module.loaded, module.parent, module.children);
console.log(module.paths, __filename, __dirname, require.resolve('fs'), Object.keys(require.cache));
console.log(this === module.exports, typeof require.extensions['.js'], require.main.filename);
