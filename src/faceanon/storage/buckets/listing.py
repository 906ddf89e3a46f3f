"""The objects of a bucket, page by page, while others work on them.

Amazon's are listed by its own library: `obstore` refuses whole pages of which one key
is odd, and gives others under names that they do not have.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from faceanon.storage.buckets.stores import BucketError, amazon, explained, store
from faceanon.storage.places import BucketObject


def listed(folder: BucketObject) -> Iterator[BucketObject]:
    """What is in a folder of a bucket, and in its folders; no page is kept.

    Raises:
        BucketError: it cannot be listed, or not to its end.
    """
    with explained(folder):
        if folder.bucket.startswith("s3://"):
            yield from _listed_by_amazon(folder)
        else:
            # A prefix without its slash; that of a whole bucket is none.
            prefix = folder.key.rstrip("/") or None
            for page in store(folder.bucket).list(prefix):
                for meta in page:
                    yield listed_object(folder.bucket, meta)


def _listed_by_amazon(folder: BucketObject) -> Iterator[BucketObject]:
    pages = amazon()[0].get_paginator("list_objects_v2")
    name = folder.bucket.partition("://")[2]
    for page in pages.paginate(Bucket=name, Prefix=folder.key):
        for found in page.get("Contents", ()):
            yield BucketObject(
                folder.bucket,
                found["Key"],
                found["Size"],
                _seconds(found["LastModified"]),
                found["ETag"],
            )


def listed_object(bucket: str, meta: Any) -> BucketObject:
    """An object by what `obstore` tells of it."""
    return BucketObject(
        bucket,
        meta["path"],
        meta["size"],
        _seconds(meta["last_modified"]),
        meta["e_tag"] or "",
    )


def _seconds(time: datetime) -> int:
    """A time in nanoseconds: whole seconds, as some answers do not tell more."""
    return int(time.timestamp()) * 10**9


def check(folder: BucketObject) -> None:
    """Look whether a folder of a bucket can be listed, with one request.

    Raises:
        BucketError: it cannot; the text tells what to do.
    """
    try:
        next(listed(folder), None)
    except BucketError as error:
        if error.what != "odd":
            raise
