"""The error that every client command ends with."""


class ClientError(Exception):
    """The request cannot be made or was refused; the text says why and what to do."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
