#!/usr/bin/env node
'use strict';
console.log((function () { return this; })(), __line());
function __line() { return new Error().stack.split('\n')[1].replace(/.*:(\d+):\d+.*/, '$1'); }
