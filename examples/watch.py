#!/usr/bin/env python3
"""The payload of a channel on standard output, by ctypes:  watch.py amt://198.51.100.10@232.1.1.1:5000 | mpv -"""
import ctypes
import select
import sys

amt = ctypes.CDLL("libamt.so.0")
amt.amt_receiver_open.restype = ctypes.c_void_p
amt.amt_receiver_open.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]
amt.amt_receiver_read.restype = ctypes.c_long
amt.amt_receiver_read.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
amt.amt_error_text.restype = ctypes.c_char_p
for name in ("fd", "timeout_ms", "process", "close"):
    getattr(amt, f"amt_receiver_{name}").argtypes = [ctypes.c_void_p]

if len(sys.argv) != 2:
    sys.exit("usage: watch.py URL")
error = ctypes.create_string_buffer(256)
receiver = amt.amt_receiver_open(sys.argv[1].encode(), None, error)
if not receiver:
    sys.exit(amt.amt_error_text(error).decode())
payload = ctypes.create_string_buffer(65536)
poll = select.poll()
poll.register(amt.amt_receiver_fd(receiver), select.POLLIN)
try:
    while True:
        poll.poll(amt.amt_receiver_timeout_ms(receiver))
        if amt.amt_receiver_process(receiver) != 0:
            break
        while (octets := amt.amt_receiver_read(receiver, payload, len(payload))) >= 0:
            sys.stdout.buffer.write(payload.raw[:octets])
        sys.stdout.buffer.flush()
except (KeyboardInterrupt, BrokenPipeError):
    pass
amt.amt_receiver_close(receiver)
