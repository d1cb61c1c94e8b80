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
_BEFORE = 1 << 3  # BPF_F_BEFORE
ACCEPT = 0  # TC_ACT_OK: no program behind it sees the frame


def _bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    descriptor = _libc.syscall(_SYS_BPF, command, buffer, len(buffer))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return descriptor


@contextlib.contextmanager
def in_front(name, direction, verdict=ACCEPT):
    """Attached by TCX, before all that are there, for the time of the block."""
    code = struct.pack("=BBhiBBhi", 0xB7, 0, 0, verdict, 0x95, 0, 0, 0)  # r0 = verdict; exit
    instructions, license_ = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    program = _bpf(
        _PROG_LOAD,
        struct.pack("=IIQQ", _SCHED_CLS, 2, ctypes.addressof(instructions), ctypes.addressof(license_)),
    )
    index = socket.if_nametoindex(name)
    try:
        link = _bpf(_LINK_CREATE, struct.pack("=IIII", program, index, _ATTACH[direction], _BEFORE))
    finally:
        os.close(program)
    try:
        yield
    finally:
        os.close(link)
