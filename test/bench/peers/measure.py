"""CPython's own pool: `python3 measure.py FIGURE` prints tasks (or items) a second."""
import multiprocessing
import sys
import time


def noop(value):
    return value


def apply_async(pool):
    count = 100000
    started = time.perf_counter()
    results = [pool.apply_async(noop, (n,)) for n in range(count)]
    values = [result.get() for result in results]
    assert values[-1] == count - 1
    return count / (time.perf_counter() - started)


def map_default(pool):
    rates = []
    items = range(1000000)
    for _ in range(3):
        started = time.perf_counter()
        values = pool.map(noop, items)
        rates.append(len(items) / (time.perf_counter() - started))
        assert values[-1] == 999999
    return sorted(rates)[1]


if __name__ == '__main__':
    with multiprocessing.Pool(2) as pool:
        pool.map(noop, range(2000), 1)
        print({'apply_async': apply_async, 'map': map_default}[sys.argv[1]](pool))
