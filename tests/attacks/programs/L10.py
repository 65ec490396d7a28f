import multiprocessing
import os


def square(n):
    return n * n


if __name__ == "__main__":
    with multiprocessing.Pool(4) as pool:
        print(sum(pool.map(square, range(1000))))
    lock, value = multiprocessing.Lock(), multiprocessing.Value("i", 0)
    with lock, value.get_lock():
        value.value += 1
    print(value.value, multiprocessing.Queue().empty(), sorted(os.listdir("/dev/shm")))
