"""A gRPC C-core client of one service over xDS: calls it in a loop and prints each answer that differs from the last.

Environment: GRPC_XDS_BOOTSTRAP_CONFIG (read by gRPC), XDS_TARGET (xds:///name), XDS_METHOD (/service/method).
Ends when its standard input does.
"""

import os
import sys
import threading
import time

import grpc

print("grpcio " + grpc.__version__, flush=True)
ended = threading.Event()


def wait_for_the_end():
    sys.stdin.read()
    ended.set()


threading.Thread(target=wait_for_the_end, daemon=True).start()

channel = grpc.insecure_channel(os.environ["XDS_TARGET"])
call = channel.unary_unary(os.environ["XDS_METHOD"])
last = None
while not ended.is_set():
    try:
        answer = "answer " + call(b"", timeout=4, wait_for_ready=True).decode()
    except grpc.RpcError as error:
        answer = "error " + error.code().name + " " + (error.details() or "").replace("\n", " ")
    if answer != last:
        print(answer, flush=True)
        last = answer
    time.sleep(0.02)
channel.close()
