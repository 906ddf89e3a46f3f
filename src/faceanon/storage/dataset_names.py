"""Dataset files: WebDataset tar and Parquet, each of them holding many pictures.

One such file is one job, and becomes one output. Its pictures are done as single ones
are, each with an outcome of its own; everything else in it stays what it is.
"""

_KINDS = {".tar": "tar", ".tar.gz": "tar.gz", ".tgz": "tar.gz", ".parquet": "parquet"}


def kind_of(name: str) -> str:
    """What kind of dataset file it is, by its name or path; empty for none.

    >>> kind_of("train/0001.TGZ"), kind_of("a.jpg")
    ('tar.gz', '')
    """
    lower = name.lower()
    kinds = (kind for suffix, kind in _KINDS.items() if lower.endswith(suffix))
    return next(kinds, "")


def is_dataset(name: str) -> bool:
    """Whether a file is a dataset file, by its name or path."""
    return kind_of(name) != ""


def dataset_of(name: str) -> str:
    """The dataset file that holds a picture, by the picture's name; empty for none.

    >>> dataset_of("train/0001.tar/a/b.jpg")
    'train/0001.tar'
    >>> dataset_of("train/b.jpg")
    ''
    """
    parts = name.split("/")
    for count in range(1, len(parts)):
        if is_dataset(parts[count - 1]):
            return "/".join(parts[:count])
    return ""
