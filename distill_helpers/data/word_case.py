"""A word in the capitals of the word whose place it takes."""

from __future__ import annotations


def cased_like(word: str, example: str) -> str:
    """Write a word in small letters, in capitals or capitalised, as another one is.

    Parameters
    ----------
    word : str
        As it stands in a list: what is no small letter there stays as it is.
    example : str
        The word whose place it takes.

    Returns
    -------
    str

    Examples
    --------
    >>> [cased_like("she", example) for example in ("he", "He", "HE")]
    ['she', 'She', 'SHE']
    """
    if len(example) > 1 and example.isupper():
        return word.upper()
    if example[:1].isupper():
        return word[:1].upper() + word[1:]
    return word
