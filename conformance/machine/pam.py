"""Asks PAM as JupyterHub does: authentication and the account phase of the service `login`, and no session.

usage: pam.py NAME PASSWORD; prints the step that refused, or `welcome`.
"""

import ctypes
import ctypes.util
import sys

pam, libc = ctypes.CDLL(ctypes.util.find_library("pam") or "libpam.so.0"), ctypes.CDLL(None)
libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p


class Answer(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


TALK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.POINTER(Answer)), ctypes.c_void_p)


class Conversation(ctypes.Structure):
    _fields_ = [("talk", TALK), ("data", ctypes.c_void_p)]


@TALK
def talk(count, _, answers, __):
    memory = libc.calloc(count, ctypes.sizeof(Answer))
    found = ctypes.cast(memory, ctypes.POINTER(Answer))
    for index in range(count):
        found[index].text = libc.strdup(sys.argv[2].encode())
    answers[0] = found
    return 0


handle, conversation = ctypes.c_void_p(), Conversation(talk, None)
if pam.pam_start(b"login", sys.argv[1].encode(), ctypes.byref(conversation), ctypes.byref(handle)):
    sys.exit("start")
for step in ("authenticate", "acct_mgmt"):
    if getattr(pam, "pam_" + step)(handle, 0):
        print("refused by " + step)
        break
else:
    print("welcome")
pam.pam_end(handle, 0)
