"""Connections to buckets, and their errors in words.

Credentials come from where the providers' own tools look for them. They are not passed
on: each process finds its own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from faceanon.errors import PictureError
from faceanon.storage.names import shown

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

# A request is made again after 0.1 s, 0.2 s and so on, up to 15 s, when there is no
# answer, or that of a server which is overloaded or out of order.
_RETRIES: "RetryConfig" = {"max_retries": 8, "retry_timeout": timedelta(minutes=2)}
_ATTEMPTS = 9
_TIMEOUT = timedelta(minutes=2)

# For so long a process uses Amazon's credentials before it asks for them again. When
# they are given, they are valid for ten minutes more.
_CREDENTIALS_KEPT = timedelta(minutes=5)

_ADVICE = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give "
    "this machine a role (AWS_SKIP_SIGNATURE=true for public buckets)",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, run 'gcloud auth application-default "
    "login', or give this machine a service account (GOOGLE_SKIP_SIGNATURE=true for "
    "public buckets)",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or "
    "AZURE_STORAGE_SAS_TOKEN, or give this machine a managed identity",
}

What: TypeAlias = Literal[
    "missing",
    "exists",
    "changed",
    "odd",
    "refused",
    "general",
    "unavailable",
    "other",
]


class BucketError(PictureError):
    """A request to a bucket failed.

    Attributes:
        what: the object is missing, or exists already, or is not the one that was
            meant; or the listing has a key that cannot be read, which is "odd"; or all
            requests to this bucket will fail: "general", or "unavailable" where that
            may be otherwise later.
    """

    def __init__(self, text: str, what: What = "other") -> None:
        super().__init__(text)
        self.what = what

    @property
    def is_general(self) -> bool:
        """Whether all requests to the bucket will fail."""
        return self.what in ("general", "unavailable")


@dataclass(frozen=True, slots=True)
class _Case:
    """A kind of error, told by the exception's name or by a part of its text."""

    signs: tuple[str, ...]
    text: str
    what: What = "other"


_CASES = (
    _Case(("AlreadyExistsError",), "{name} exists already", "exists"),
    _Case(
        ("PreconditionError", "PreconditionFailed"),
        "{name} changed meanwhile; run again for it",
        "changed",
    ),
    _Case(
        ("NoSuchBucket", "ContainerNotFound", "bucket does not exist"),
        "there is no bucket {bucket}; create it, or mend its name",
        "general",
    ),
    _Case(("FileNotFoundError", "NoSuchKey"), "{name} does not exist", "missing"),
    _Case(
        ("get_credentials", "NoCredentials", "token request", "Account must be"),
        "no credentials for {bucket} were found: {advice}",
        "unavailable",
    ),
    _Case(
        (
            *("UnauthenticatedError", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
            *("ExpiredToken", "InvalidToken", "(401)"),
        ),
        "the credentials for {bucket} are not valid, or not any more: {advice}",
        "unavailable",
    ),
    _Case(
        ("PermissionDeniedError", "AccessDenied", "403 Forbidden", "(403)"),
        "no permission for {name}; docs/scale.md lists what its owner must allow",
        "refused",
    ),
    _Case(
        ("HTTP error", "Could not connect", "timeout on endpoint"),
        "{bucket} cannot be reached; look at the network: {detail}",
        "unavailable",
    ),
    _Case(
        ("without LOCATION", "PermanentRedirect", "AuthorizationHeaderMalformed"),
        "{bucket} is in another region; set AWS_REGION to its own",
        "general",
    ),
    _Case(
        ("InvalidPathError",),
        "one of its keys cannot be read, nor those listed after it: {detail}",
        "odd",
    ),
    _Case(("",), "{name}: {detail}"),
)


@lru_cache(maxsize=8)
def store(bucket: str) -> "ObjectStore":
    """The connection of this process to a bucket, by its URL.

    Raises:
        BucketError: there are no credentials, a setting is wrong, or the extra 'cloud'
            is not installed.
    """
    try:
        with explained(bucket):
            return _connected(*bucket.split("://"))
    except BucketError as error:
        if error.is_general:
            raise
        # No request was made yet: it is for what is set, or not set.
        advised = f"{error}; {_ADVICE[bucket[:2]]}"
        raise BucketError(advised, "unavailable") from error


def _connected(scheme: str, name: str) -> "ObjectStore":
    if scheme == "s3":
        return _amazon_store(name)
    from obstore.store import AzureStore, GCSStore  # noqa: PLC0415  an extra

    options: Any = {"timeout": _TIMEOUT}
    if scheme == "gs":
        return GCSStore(name, client_options=options, retry_config=_RETRIES)
    return AzureStore(name, client_options=options, retry_config=_RETRIES)


def _amazon_store(name: str) -> "ObjectStore":
    from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415  an extra
    from obstore.store import S3Store  # noqa: PLC0415

    client, session = amazon()
    endpoint = client.meta.endpoint_url
    provider = None
    if not _is_anonymous():
        provider = Boto3CredentialProvider(session, ttl=_CREDENTIALS_KEPT)
    return S3Store(
        name,
        endpoint=endpoint,
        region=client.meta.region_name,
        skip_signature=_is_anonymous(),
        credential_provider=provider,
        client_options={
            "timeout": _TIMEOUT,
            "allow_http": endpoint.startswith("http://"),
        },
        retry_config=_RETRIES,
    )


@lru_cache(maxsize=1)
def amazon() -> tuple[Any, Any]:
    """Amazon's own client, and where it takes credentials from."""
    import boto3  # noqa: PLC0415  an extra
    from botocore import UNSIGNED  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    session = boto3.Session()
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        signature_version=UNSIGNED if _is_anonymous() else None,
        region_name=session.region_name or "us-east-1",
    )
    return session.client("s3", config=config), session


def _is_anonymous() -> bool:
    return os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true", "yes")


@contextmanager
def explained(place: object) -> Iterator[None]:
    """Turn errors of the providers' libraries into one line that says what to do.

    Args:
        place: the object or bucket, for the text.

    Raises:
        BucketError: for each of them, and where the extra 'cloud' is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise BucketError(
            f"{shown(place)} needs the extra 'cloud': pip install '.[cloud]' in the "
            "checkout",
            "general",
        ) from error
    except Exception as error:
        explanation = _explanation(place, error)
        if explanation is None:
            raise
        raise explanation from error


def _explanation(place: object, error: Exception) -> BucketError | None:
    """An error of these libraries in one line; None for one of another kind."""
    text = f"{type(error).__name__}: {error}"
    is_known = (
        type(error).__module__.partition(".")[0] in ("obstore", "botocore")
        or isinstance(error, FileNotFoundError)
        or "get_credentials" in text
    )
    if not is_known:
        return None
    case = next(case for case in _CASES if any(sign in text for sign in case.signs))
    name = shown(place)
    words = {
        "name": name,
        "bucket": "/".join(name.split("/")[:3]),
        "advice": _ADVICE[name[:2]],
        "detail": _first_line(str(error)),
    }
    return BucketError(case.text.format(**words), case.what)


def _first_line(text: str) -> str:
    # What follows is for those who debug the library.
    return shown(" ".join(text.partition("\n\n")[0].split()))[:300]
