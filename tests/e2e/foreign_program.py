# SPDX-License-Identifier: Apache-2.0
"""A program of somebody else's on a hook of the traffic control."""

import contextlib
import ctypes
import os
import socket
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_SYS_BPF = 321  # x86-64
_PROG_LOAD, _LINK_CREATE = 5, 28
_SCHED_CLS = 3
_ATTACH = {"ingress": 46, "egress": 47}  # BPF_TCX_...
_BEFORE, _AFTER = 1 << 3, 1 << 4  # BPF_F_BEFORE, BPF_F_AFTER: all that are there
# Verdicts of linux/pkt_cls.h, TC_ACT_...: no program behind it sees the frame. TCX drops it by SHOT alone; by one
# that it does not know, as STOLEN, the frame goes on.
OK, SHOT, STOLEN = 0, 2, 4


def _bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    descriptor = _libc.syscall(_SYS_BPF, command, buffer, len(buffer))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return descriptor


@contextlib.contextmanager
def attached(name, direction, verdict, behind=False):
    """By TCX, in front of all that are there, or behind them, for the time of the block."""
    code = struct.pack("=BBhiBBhi", 0xB7, 0, 0, verdict, 0x95, 0, 0, 0)  # r0 = verdict; exit
    instructions, license_ = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    program = _bpf(
        _PROG_LOAD,
        struct.pack("=IIQQ", _SCHED_CLS, 2, ctypes.addressof(instructions), ctypes.addressof(license_)),
    )
    index = socket.if_nametoindex(name)
    try:
        link = _bpf(_LINK_CREATE, struct.pack("=IIII", program, index, _ATTACH[direction], _AFTER if behind else _BEFORE))
    finally:
        os.close(program)
    try:
        yield
    finally:
        os.close(link)
