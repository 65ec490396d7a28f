from collections.abc import Mapping, Iterable
import abc
class M(Mapping):
    def __getitem__(self, k): return k
    def __iter__(self): return iter("ab")
    def __len__(self): return 2
print(dict(M()), isinstance(M(), Iterable), isinstance([], Mapping), issubclass(dict, Mapping))
class A(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
A()
