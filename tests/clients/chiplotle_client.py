#!/usr/bin/env python3
"""Plots with chiplotle3 (PyPI), which knows nothing of us, to the HP-GL plotter at a serial port.

usage: chiplotle_client.py PORT       exit code 0: all answers were a plotter's, and it ended without an error

Asks for name, limits, scaling points, status and room; draws lines, a circle, an arc, a label and more than the plotter's
buffer holds; asks where the pen is and for errors after each. Needs `pip install chiplotle3` and a plotter that chiplotle
knows (HP 7475A, 7550A, Roland DXY-1300, DPX-3300), such as `traceur sim hp7475a --pty PORT`.
"""

import builtins
import os
import sys
import tempfile


def prepare(home):
    """chiplotle writes its configuration into the home folder at import, and waits for Return while it does."""
    os.environ["HOME"] = home
    builtins.input = lambda prompt="": ""


def expect(is_so, what):
    if not is_so:
        raise AssertionError(what)
    print("ok:", what)


def plot(port):
    import chiplotle3  # noqa: F401  (its start-up comes first)
    from chiplotle3.hpgl import commands
    from chiplotle3.tools.plottertools import instantiate_plotter_from_id
    from chiplotle3.tools.serialtools import what_plotter_in_port
    import serial

    name = what_plotter_in_port(port)
    expect(bool(name), f"OI answers {name!r}")
    # Answers end with CR, which pyserial's readline waits in vain for: it reads until this timeout.
    link = serial.Serial(port, 9600, timeout=0.3)
    plotter = instantiate_plotter_from_id(link, name)
    expect(plotter is not None, f"chiplotle knows {name!r}: {type(plotter).__name__}")
    expect(plotter.buffer_size > 16, f"half its buffer is {plotter.buffer_size} bytes")
    expect(plotter.output_error.strip() == "0", "no error at the beginning")
    hard = plotter.margins.hard.all_coordinates
    soft = plotter.margins.soft.all_coordinates
    expect(hard[2] > hard[0] and hard[3] > hard[1], f"OH answers {tuple(hard)}")
    expect(tuple(hard) == tuple(soft), "OW answers the same after IN")
    p1, p2 = plotter.output_p1p2
    expect(p2.x > p1.x and p2.y > p1.y, f"OP answers {p1} {p2}")
    expect(int(plotter.status) & 16, "OS says ready")

    middle = (int((hard[0] + hard[2]) / 2), int((hard[1] + hard[3]) / 2))
    plotter.select_pen(1)
    plotter.goto(middle[0], middle[1])
    plotter.pen_down()
    plotter.pen_down([(middle[0] + 500, middle[1]), (middle[0] + 500, middle[1] + 300)])
    where, pen = plotter.actual_position
    expect((where.x, where.y, pen) == (middle[0] + 500, middle[1] + 300, 1), "OA answers where the pen is, down")
    plotter.pen_up()
    where, pen = plotter.commanded_position
    expect(pen == 0, "OC answers pen up")

    plotter.write([commands.PA([middle]), commands.CI(400, 10), commands.EA((middle[0] + 200, middle[1] + 200))])
    plotter.write([commands.AA(middle, 90), commands.LB("chiplotle")])
    plotter.select_pen(2)
    # Several buffers full: chiplotle paces itself by ESC.B.
    zigzag = [(middle[0] + 7 * (i % 200), middle[1] - 200 + 13 * (i % 17)) for i in range(400)]
    for begin in range(0, 400, 40):
        plotter.write([commands.PU([zigzag[begin]]), commands.PD(zigzag[begin : begin + 40])])
    plotter.pen_up()
    # Answered only when all of it has been drawn.
    plotter.maximum_response_wait_time = 60
    where, _ = plotter.actual_position
    expect((where.x, where.y) == zigzag[399], "the pen is at the end of the zigzag")
    expect(plotter.output_error.strip() == "0", "no error after all of it")
    plotter.select_pen(0)
    link.flushInput()
    link.write(b"\x1b.E")
    expect(link.read_until(b"\r") == b"0\r", "ESC.E: the buffer never overflowed")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as home:
        prepare(home)
        plot(sys.argv[1])
    print("chiplotle3 plotted without an error")


if __name__ == "__main__":
    main()
