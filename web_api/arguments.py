"""Arguments of a request, which are text or JSON, as the kinds that a Python signature wants."""
import inspect

from cache.serving.api_error import ApiError

TRUTHS = {"true": True, "1": True, "false": False, "0": False}
LARGEST_NUMBER = 10**9


def value_of(parameter: inspect.Parameter, value: object) -> str | bool | int | float:
    """The kind is that of the default, a text where there is none. Raises ApiError 400 with the argument's
    name."""
    if isinstance(parameter.default, bool):
        return _truth(parameter.name, value)
    if isinstance(parameter.default, (int, float)):
        return _number(parameter.name, value, type(parameter.default))
    if not isinstance(value, str) or not _is_unicode(value):
        raise ApiError(400, "bad_argument", f"{parameter.name} is not a text")
    return value


def _truth(name: str, value: object) -> bool:
    truth = TRUTHS.get(str(value).lower())
    if truth is None:
        raise ApiError(400, "bad_argument", f"{name} is neither true nor false")
    return truth


def _number(name: str, value: object, kind: type) -> int | float:
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if not 0 <= number <= LARGEST_NUMBER:  # also False for nan
        raise ApiError(400, "bad_argument", f"{name} is not a number from 0 to {LARGEST_NUMBER}")
    return number


def _is_unicode(text: str) -> bool:
    """Not half a character, as JSON can escape one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
