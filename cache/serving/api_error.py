"""What goes wrong on purpose: a status, a code for programs, a message for people."""


class ApiError(Exception):
    """`tile` is the same for where there is no room: a word or two that stand in place of a picture."""

    def __init__(self, status: int, code: str, message: str, tile: str = "not shown"):
        super().__init__(message)
        self.status, self.code, self.message, self.tile = status, code, message, tile

    def body(self) -> dict:
        return {"error": {"code": self.code, "message": self.message}}
