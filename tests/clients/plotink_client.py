"""Plots a small drawing with PyPI's plotink, which nobody here wrote, to the serial port in argv[1].

plotink finds boards by their USB name; the lower-level functions take a port that is already open, and are those that
AxiDraw's software calls. Ends with 0 when all has been drawn and the motors are where they should be, with 1 on any
error.

    traceur sim axidraw-v3 --pty plotter &
    python3 -m venv venv && venv/bin/pip install plotink pyserial
    venv/bin/python tests/clients/plotink_client.py plotter
"""

import logging
import sys
import time

from plotink import ebb_motion, ebb_serial

STEPS_PER_MM = 80
PATIENCE_SECONDS = 60


class Trouble(logging.Handler):
    """plotink only logs what goes wrong; here it counts."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: {got!r}, expected {wanted!r}")


def until_idle(port):
    # QG, as the CR behind QM's LF would be left for plotink's next answer.
    begin = time.monotonic()
    while time.monotonic() - begin < PATIENCE_SECONDS:
        if int(ebb_serial.query(port, "QG\r"), 16) & 0x0F == 0:
            return
        time.sleep(0.05)
    raise SystemExit("the motors never come to rest")


def set_up(port):
    expect("version", ebb_serial.min_version(port, "2.7.0"), True)
    expect("motor power", ebb_motion.queryVoltage(port), True)
    ebb_motion.servo_timeout(port, 60000, 1)
    ebb_motion.sendEnableMotors(port, 1)
    ebb_motion.setPenUpPos(port, 20641)
    ebb_motion.setPenDownPos(port, 15248)
    ebb_motion.setPenUpRate(port, 1618)
    ebb_motion.setPenDownRate(port, 1079)
    ebb_motion.setEBBLV(port, 1)
    ebb_motion.sendPenUp(port, 300)
    until_idle(port)
    expect("pen height mark", ebb_motion.queryEBBLV(port), 1)
    expect("pen up", ebb_motion.QueryPenUp(port), True)
    expect("motors", ebb_motion.query_enable_motors(port), (1, 1))
    expect("button", ebb_motion.QueryPRGButton(port).strip(), "0")


def draw(port):
    size = 20 * STEPS_PER_MM
    # To (20, 10) mm: XM takes x and y in steps.
    ebb_motion.doABMove(port, size, size // 2, 400)
    ebb_motion.sendPenDown(port, 300)
    for x, y in ((size, 0), (0, size), (-size, 0), (0, -size)):
        ebb_motion.doABMove(port, x, y, 500)
    # A diagonal with its own speeds: motor 1 does all of x + y.
    rate, steps = 400_000_000, size
    ebb_motion.doLowLevelMove(port, rate, steps, 0, 0, 0, 0, 3)
    ebb_motion.doTimedPause(port, 100)
    until_idle(port)
    expect("pen down", ebb_motion.QueryPenUp(port), False)
    expect("steps", ebb_motion.query_steps(port), (size + size // 2 + size, size - size // 2))
    ebb_motion.sendPenUp(port, 300)
    ebb_motion.doAbsMove(port, 4000)
    until_idle(port)
    expect("steps at home", ebb_motion.query_steps(port), (0, 0))
    ebb_motion.TogglePen(port)
    ebb_motion.TogglePen(port)
    until_idle(port)
    expect("pen up", ebb_motion.QueryPenUp(port), True)
    ebb_motion.sendDisableMotors(port)
    until_idle(port)
    expect("motors off", ebb_motion.query_enable_motors(port), (0, 0))


def main():
    trouble = Trouble()
    logging.getLogger().addHandler(trouble)
    port = ebb_serial.testPort(sys.argv[1])
    if port is None:
        raise SystemExit(f"{sys.argv[1]}: no EiBotBoard answers")
    try:
        set_up(port)
        draw(port)
    finally:
        ebb_serial.closePort(port)
    if trouble.said:
        raise SystemExit("\n".join(trouble.said))


if __name__ == "__main__":
    main()
