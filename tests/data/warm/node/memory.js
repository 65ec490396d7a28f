const v8 = require('v8');
console.log(v8.getHeapStatistics().heap_size_limit, process.memoryUsage().rss > 1e6, process.resourceUsage().userCPUTime > 0);
console.log(process.memoryUsage().heapUsed < 2e7, process.availableMemory === undefined);
