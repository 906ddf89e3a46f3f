"""An S3 server on this machine (moto), driven through its standard input.

Prints its address. Fills a bucket with empty pictures on the line "fill BUCKET COUNT",
and ends when its input ends.
"""

import logging
import sys

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
    for line in sys.stdin:
        _, bucket, count = line.split()
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for number in range(int(count)):
            backend.put_object(bucket, f"{number:06}.jpg", b"")
        print("filled", flush=True)
    server.stop()


if __name__ == "__main__":
    main()
