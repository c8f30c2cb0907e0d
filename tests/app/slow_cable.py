#!/usr/bin/env python3
"""A cable between two network namespaces on which every frame takes its time, for kernels whose tc has no netem.

    slow_cable.py NAMESPACE DEVICE NAMESPACE DEVICE MILLISECONDS

Makes a TAP device of that name in each namespace, says "ready", and hands what leaves one of them to the other one, so
many milliseconds later, until it is killed. It neither loses nor reorders frames, and has no limit of bytes a second.
"""
import collections
import ctypes
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 0x0002, 0x1000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    with open(f"/var/run/netns/{namespace}") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def end_of_cable(namespace, device):
    """The device belongs to the namespace in which it was made, and stays with whoever holds the file."""
    enter(namespace)
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    return file


def run(ends, delay):
    due = collections.deque()  # (when, to whom, frame); the delay is the same for all, so they stay in order
    while True:
        wait = max(0.0, due[0][0] - time.monotonic()) if due else None
        for file in select.select(ends, [], [], wait)[0]:
            try:
                while True:
                    due.append((time.monotonic() + delay, ends[1 - ends.index(file)], os.read(file, 65536)))
            except OSError:  # no more of them, or the device is down
                pass
        while due and due[0][0] <= time.monotonic():
            _, to, frame = due.popleft()
            try:
                os.write(to, frame)
            except OSError:  # the other end is down: the cable is cut
                pass


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    ends = [end_of_cable(*sys.argv[1:3]), end_of_cable(*sys.argv[3:5])]
    print("ready", flush=True)
    run(ends, float(sys.argv[5]) / 1000)


if __name__ == "__main__":
    main()
