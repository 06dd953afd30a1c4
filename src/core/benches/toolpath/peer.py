"""vpype's order of polylines: `peer.py POLYLINES.txt linesort|two-opt`, as one line of JSON on stdout.

A line of the file is a stroke: `x,y x,y …` in mm. Needs `pip install vpype`. CPU seconds are of the sort alone.
"""

import json
import resource
import sys
import time

import vpype
import vpype_cli


def main() -> None:
    path, how = sys.argv[1], sys.argv[2]
    lines = vpype.LineCollection()
    with open(path) as file:
        for line in file:
            points = [point.split(",") for point in line.split()]
            lines.append([complex(float(x), float(y)) for x, y in points])
    document = vpype.Document(lines)
    command = "linesort --two-opt" if how == "two-opt" else "linesort"
    before = resource.getrusage(resource.RUSAGE_SELF)
    clock = time.perf_counter()
    document = vpype_cli.execute(command, document)
    seconds = time.perf_counter() - clock
    after = resource.getrusage(resource.RUSAGE_SELF)
    at, travel, count = 0j, 0.0, 0
    for line in document.layers[1]:
        travel += abs(line[0] - at)
        at, count = line[-1], count + 1
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    grown = max(0, after.ru_maxrss - before.ru_maxrss) / 1024
    print(json.dumps({"travel": travel, "lifts": count, "seconds": seconds, "cpu": cpu, "grown_mb": grown}))


main()
