import pickle
class A:
    x = 1
print(pickle.loads(pickle.dumps(A())).x, pickle.dumps(A(), 0))
