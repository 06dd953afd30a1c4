"""Plots a small program with PyPI's grbl-streamer, which nobody here wrote, to the serial port in argv[1].

Ends with 0 when all has been drawn and the head is where the program ends, with 1 on any error, alarm or timeout.

    traceur sim grbl-servo --pty plotter &
    python3 -m venv venv && venv/bin/pip install grbl-streamer
    venv/bin/python tests/clients/grbl_streamer_client.py plotter
"""

import math
import sys
import threading
import time

from grbl_streamer import GrblStreamer

BOOT_SECONDS = 10
JOB_SECONDS = 120
END = (12.5, 7.25, 0.0)
TOLERANCE = 0.02


def program():
    lines = ["G21", "G90", "M3 S300", "G4 P0.1", "G0 X30 Y20", "M3 S700", "G4 P0.1", "G1 F3000"]
    for step in range(1, 201):
        angle = math.tau * step / 200
        lines.append(f"G1 X{20 + 10 * math.cos(angle):.3f} Y{20 + 10 * math.sin(angle):.3f}")
    lines += ["G2 X10 Y20 I-10 J0", "G3 X30 Y20 R10", "M3 S300", "G4 P0.1", f"G0 X{END[0]} Y{END[1]}"]
    return lines


class Watch:
    """What has happened so far."""

    def __init__(self):
        self.booted = threading.Event()
        self.done = threading.Event()
        self.trouble = []
        self.processed = 0
        self.position = None
        self.mode = None

    def __call__(self, event, *data):
        if event == "on_boot":
            self.booted.set()
        elif event in ("on_error", "on_alarm"):
            self.trouble.append((event, *data))
            self.done.set()
        elif event == "on_processed_command":
            self.processed += 1
        elif event == "on_stateupdate":
            self.mode, self.position = data[0], data[1]
        elif event == "on_job_completed":
            self.done.set()


def arrived(watch):
    return watch.position is not None and math.dist(watch.position, END) <= TOLERANCE


def main(port):
    watch = Watch()
    streamer = GrblStreamer(watch)
    streamer.setup_logging()
    streamer.cnect(port, 115200)
    try:
        if not watch.booted.wait(BOOT_SECONDS):
            return "no banner"
        # Its polling first asks `$#` and `$G`, whose answers it takes for those of lines: while it streams, that would
        # overfill the buffer. So it polls before and after.
        streamer.poll_start()
        time.sleep(10 * streamer.poll_interval)
        streamer.poll_stop()
        streamer.incremental_streaming = False
        streamer.write("\n".join(program()))
        streamer.job_run()
        if not watch.done.wait(JOB_SECONDS):
            return f"not done after {JOB_SECONDS} s: {watch.processed} lines answered"
        streamer.poll_start()
        deadline = time.monotonic() + JOB_SECONDS
        while not watch.trouble and time.monotonic() < deadline:
            if watch.mode == "Idle" and arrived(watch):
                break
            time.sleep(0.1)
        if watch.trouble:
            return f"trouble: {watch.trouble}"
        if not arrived(watch):
            return f"it stands at {watch.position} ({watch.mode}), not at {END}"
        print(f"{watch.processed} lines answered, at {watch.position}")
        return None
    finally:
        streamer.disconnect()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PORT")
    sys.exit(main(sys.argv[1]))
