class A { #x = 1; static s = 2; get x() { return this.#x; } static { this.t = 3; } }
class B extends A { constructor() { super(); this.y = [...'abc'].at(-1); } }
console.log(new B(), new B().x, B.s, A.t, Object.groupBy?.name, [3, 1, 2].toSorted?.());
label: for (const i of [1, 2]) for (const j of [1, 2]) { if (j === 2) continue label; console.log(i, j); }
console.log(`${1 + 1}`, null ?? 'd', ({ a: { b: 1 } }).a?.b, 2 ** 10, 0b11, 1_000);
function* gen() { const r = yield 1; console.log(r); } const g = gen(); g.next(); g.next('sent');
