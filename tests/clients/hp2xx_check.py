#!/usr/bin/env python3
"""Exports a drawing as HP-GL and has hp2xx read it: does a reader that we did not write see the same coordinates?

usage: hp2xx_check.py TRACEUR [HP2XX]      exit code 0: every coordinate came back; 1: not; 2: hp2xx is missing

hp2xx (Debian: apt install hp2xx) moves a drawing to 0,0 and scales it to the page unless `-t` is given and the drawing
contains the frame of the sheet, so a frame is put before it. It writes lines only: an arc comes back as its chords.
"""

import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="297mm" height="210mm" viewBox="0 0 297 210">
<g fill="none" stroke="#191919" stroke-width="0.5">
<path d="M30 40 L120 45 L90 77.7 L33.3 180"/>
<path d="M150.5 60 H250 V150 H151 Z"/>
<path d="M60 100 h0.001" stroke-linecap="round"/>
<circle cx="200" cy="105" r="30"/>
<path d="M20 190 C60 120 100 200 140 150"/>
</g></svg>
"""
# Limits of each machine's sheet: hp2xx takes the lower left corner of all that is drawn for 0,0.
FRAMES = {"hp7475a": (11040, 7721), "hp7440a": (10900, 7650), "dxy-1150": (11880, 8400)}


def moves(text):
    """Pen-down runs of absolute HP-GL, and its arcs as (index of the run, from, center, degrees)."""
    runs, arcs, at = [], [], (0.0, 0.0)
    for name, rest in re.findall(r"([A-Z]{2})([^A-Z;]*);?", text):
        numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", rest)]
        if name == "AA":
            arcs.append((len(runs) - 1, at, (numbers[0], numbers[1]), numbers[2]))
            continue
        if name not in ("PU", "PD", "PA"):
            continue
        if name == "PU":
            down = False
        elif name == "PD":
            if not down:
                runs.append([at])
            down = True
        for x, y in zip(numbers[::2], numbers[1::2]):
            at = (x, y)
            if down:
                runs[-1].append(at)
    return runs, arcs


def near(a, b, tolerance):
    return math.dist(a, b) <= tolerance


def check(machine, traceur, hp2xx, folder):
    drawing, programs, back = folder / "in.svg", folder / machine, folder / f"{machine}-back.hpgl"
    drawing.write_text(SVG)
    run = [traceur, "export", str(drawing), "-p", "black", "-m", machine, "-o", str(programs)]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    (program,) = programs.iterdir()
    ours = program.read_text()
    width, height = FRAMES[machine]
    framed = folder / f"{machine}-framed.hpgl"
    framed.write_text(f"IN;PU0,0;PD{width},0,{width},{height},0,{height},0,0;PU;" + ours)
    subprocess.run([hp2xx, "-q", "-t", "-m", "hpgl", "-f", str(back), str(framed)], check=True)
    runs, arcs = moves(ours)
    theirs = [point for run in moves(back.read_text())[0] for point in run]
    position, missing = 0, []
    for run in runs:
        for point in run:
            # In order: the next of theirs that is here.
            found = next((i for i in range(position, len(theirs)) if near(theirs[i], point, 0.02)), None)
            if found is None:
                missing.append(point)
            else:
                position = found
    if not runs or missing:
        print(f"{machine}: {len(missing)} of our coordinates did not come back: {missing[:5]}")
        return False
    for _, start, center, degrees in arcs:
        radius = math.dist(start, center)
        on = [p for p in theirs if abs(math.dist(p, center) - radius) < 1.5]
        if len(on) < abs(degrees) / 6:
            print(f"{machine}: the arc around {center} came back as {len(on)} points")
            return False
    vertices = sum(map(len, runs))
    print(f"{machine}: {len(runs)} strokes, {vertices} coordinates and {len(arcs)} arcs came back the same")
    return True


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    hp2xx = sys.argv[2] if len(sys.argv) == 3 else shutil.which("hp2xx")
    if not hp2xx:
        print("hp2xx is not installed: apt install hp2xx")
        sys.exit(2)
    with tempfile.TemporaryDirectory() as folder:
        results = [check(machine, sys.argv[1], hp2xx, Path(folder)) for machine in FRAMES]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
